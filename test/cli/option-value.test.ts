/** Where the paths of a configuration file lie. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { optionValues } from "../../src/cli/options/option-value.ts";
import { param } from "../../src/engine/index.ts";

const root = realpathSync(mkdtempSync(path.join(tmpdir(), "option values ")));
afterAll(() => rmSync(root, { recursive: true }));

const project = param.path({ name: "project", env: "PROJECT", description: "", default: "src" });
const list = param.path({ name: "list", env: "LIST", description: "", lookIn: project, default: "list" });

const at = (name: string): string => path.join(root, name);
for (const name of ["here/one", "config/one", "config/two", "project/two", "project/three"]) {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), "");
}

/** The list that is used, if the file `config/my.conf` names this one. */
function listFor(name: string, projectName = "../project"): string | undefined {
  const sources = {
    ...{ flag: () => undefined, env: {}, defaults: new Map(), places: new Map() },
    config: new Map([
      ["LIST", name],
      ["PROJECT", projectName],
    ]),
    configDirectory: at("config"),
  };
  return optionValues([list, project], sources, at("here")).get("list");
}

describe("a path in a configuration file", () => {
  it.each([
    ["one", "here/one"],
    ["two", "config/two"],
    ["three", "project/three"],
    ["four", "here/four"],
  ])("%s is that of the current directory, else of the file's, else of the project's: %s", (name, found) => {
    expect(listFor(name)).toBe(at(found));
  });

  it("is found in a project that lies beside the file", () => {
    mkdirSync(at("config/own"));
    writeFileSync(at("config/own/five"), "");
    expect(listFor("five", "own")).toBe(at("config/own/five"));
    expect(listFor(at("config/two"), "own")).toBe(at("config/two"));
  });
});
