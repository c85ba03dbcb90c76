/** What a person or a service finds in the repository beside the code: that it fits together. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const root = path.resolve(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly container?: string; readonly steps: readonly { readonly run?: string }[] }>
  >;
}

describe("continuous integration", () => {
  const { jobs } = parse(read(".github/workflows/ci.yml")) as Workflow;
  const commands = (job: string): readonly string[] =>
    (jobs[job]?.steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [run]));

  it("runs what everybody can run here: .ci/run", () => {
    expect(commands("everything").join("\n")).toMatch(/ \.ci\/run$/m);
    expect(statSync(path.join(root, ".ci/run")).mode & 0o111).not.toBe(0);
  });

  it("runs the README's two commands in the development container's image", () => {
    const container = JSON.parse(read(".devcontainer/devcontainer.json")) as { readonly image: string };
    expect(jobs.devcontainer?.container).toBe(container.image);
    for (const command of ["npm run quickstart", "npm run verify"]) {
      expect(commands("devcontainer")).toContain(command);
      expect(read("README.md")).toContain(`\n${command}\n`);
    }
  });

  it("calls no script that package.json does not have", () => {
    const { scripts } = JSON.parse(read("package.json")) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const texts = [
      ".github/pull_request_template.md",
      "CONTRIBUTING.md",
      "README.md",
      ".github/workflows/ci.yml",
    ];
    const named = texts.flatMap((name) =>
      [...read(name).matchAll(/npm run ([a-z-]+)/g)].map(([, script]) => script),
    );
    expect(named.length).toBeGreaterThan(4);
    expect([...new Set(named)].filter((script) => scripts[script ?? ""] === undefined)).toEqual([]);
  });
});

it("has templates of issues that are forms with questions", () => {
  const directory = ".github/ISSUE_TEMPLATE";
  const forms = readdirSync(path.join(root, directory)).filter((name) => name !== "config.yml");
  expect(forms.length).toBeGreaterThan(1);
  for (const name of forms) {
    const form = parse(read(`${directory}/${name}`)) as {
      readonly name: string;
      readonly body: readonly unknown[];
    };
    expect(form.name, name).toMatch(/\w/);
    expect(form.body.length, name).toBeGreaterThan(1);
  }
});

it("says in SECURITY.md where the promises are kept", () => {
  const named = [...read("SECURITY.md").matchAll(/`((?:test|lists|docs)\/[^`]*)`/g)].map(
    ([, name = ""]) => name,
  );
  expect(named).toContain("test/hostile/");
  const made = ["lists/sources.lock.json"];
  expect(named.filter((name) => !made.includes(name) && !existsSync(path.join(root, name)))).toEqual([]);
});
