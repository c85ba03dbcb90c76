/** The files of a project of the flavour rpm: repositories, groups, packages. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseComps } from "../../../tasks/rpm/comps-file.ts";
import { parseRepositories } from "../../../tasks/rpm/repository-list.ts";
import { readWanted } from "../../../tasks/rpm/wanted-packages.ts";

const templates = path.resolve(import.meta.dirname, "../../../tasks/templates/rpm");
const fault = (code: string, line: number, file: string) =>
  expect.objectContaining({ code, where: `${file}:${line}` });

describe("lists/repositories.yaml", () => {
  it("demands signatures of packages and metadata, unless it says otherwise", () => {
    const text =
      "base:\n  url: https://a/os\n  keys: [KEY, other/KEY]\nown:\n  url: /srv/own\n  gpgcheck: false\n  metadata-signature: false\n";
    expect(parseRepositories(text, "r.yaml")).toEqual([
      {
        ...{ id: "base", url: "https://a/os", gpgcheck: true, signedMetadata: true },
        ...{ keys: ["KEY", "other/KEY"], where: "r.yaml:1" },
      },
      {
        ...{ id: "own", url: "/srv/own", gpgcheck: false, signedMetadata: false },
        ...{ keys: [], where: "r.yaml:4" },
      },
    ]);
    expect(parseRepositories("# nothing\n", "r.yaml")).toEqual([]);
  });

  it.each([
    ["base:\n  url: https://a/os\n", 1, "has no keys"],
    ["base:\n  keys: [K]\n", 1, "has no url"],
    ["base:\n  url: https://a\n  keys: [K]\n  gpgchek: false\n", 4, 'no setting "gpgchek"'],
    ["base:\n  url: https://a\n  keys: [K]\n  gpgcheck: perhaps\n", 4, "neither true nor false"],
    ["base:\n  url: https://a\n  keys: [../K]\n", 3, "not names of files"],
    ["a/b:\n  url: https://a\n", 1, "cannot be the id"],
    ["- base\n", 1, "not a list of repositories"],
    ["a: [\n", 2, "not YAML"],
  ])("is refused with the line: %j", (text, line, message) => {
    expect(() => parseRepositories(text, "r.yaml")).toThrow(fault("repository-list", line, "r.yaml"));
    expect(() => parseRepositories(text, "r.yaml")).toThrow(message);
  });
});

describe("comps.xml", () => {
  const group = (id: string, members: string, more = "") =>
    `<comps>\n<group>\n<id>${id}</id>\n<name>N</name>\n<packagelist>\n${members}\n</packagelist>\n</group>\n${more}</comps>\n`;

  it("of new projects is in order", () => {
    const groups = parseComps(readFileSync(path.join(templates, "comps.xml"), "utf8"), "comps.xml");
    expect([...groups.keys()]).toEqual(["core", "text"]);
    expect(groups.get("text")?.members.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "grep mandatory",
      "sed default",
      "less optional",
    ]);
  });

  it.each([
    ["<comps>\n<group>\n<id>a</group>\n</comps>", 3],
    ["<groups/>", 1],
    [group("", ""), 2],
    [group("a", '<packagereq type="required">b</packagereq>'), 6],
    [group("a", "<packagereq>b c</packagereq>"), 6],
    [
      group(
        "a",
        "",
        "<category>\n<id>c</id>\n<grouplist>\n<groupid>b</groupid>\n</grouplist>\n</category>\n",
      ),
      12,
    ],
    [group("a", "", "<group>\n<id>a</id>\n<name>N</name>\n</group>\n"), 9],
  ])("is refused with the line: %j", (text, line) => {
    expect(() => parseComps(text, "comps.xml")).toThrow(fault("bad-comps", line, "comps.xml"));
  });
});

describe("the lists of groups and packages", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "rpm lists "));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const read = (groups: string, packages: string) => {
    const at = (name: string): string => path.join(directory, name);
    writeFileSync(at("groups.lst"), groups);
    writeFileSync(at("packages.lst"), packages);
    const comps = path.join(templates, "comps.xml");
    return readWanted({ groups: at("groups.lst"), packages: at("packages.lst"), comps });
  };

  it("mean the mandatory and default packages of groups, each package once, and who wants it", async () => {
    const wanted = await read("text # programs\n@core\n", "sed\nless-590\n");
    expect(wanted.map(({ name, by }) => `${name}: ${by}`)).toEqual([
      "sed: lists/packages.lst",
      "less-590: lists/packages.lst",
      "grep: the group text",
      "bash: the group core",
      "coreutils: the group core",
      "sample-release: the group core",
      "sample-greeting: the group core",
    ]);
    expect(wanted[2]?.where).toMatch(/groups\.lst:1 → .*comps\.xml:\d+$/);
  });

  it("are refused for a group or a package that cannot be, and if both are empty", async () => {
    await expect(read("txet\n", "")).rejects.toMatchObject({
      code: "unknown-group",
      where: expect.stringMatching(/groups\.lst:1$/),
      hint: expect.stringContaining("text"),
    });
    await expect(read("", "bash\n@core\n")).rejects.toMatchObject({
      code: "bad-rpm-name",
      where: expect.stringMatching(/packages\.lst:2$/),
    });
    await expect(read("# none\n", "")).rejects.toMatchObject({ code: "nothing-wanted" });
  });
});
