/** A project's own defaults, and who says what the value of an option is. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { realProject } from "./real-project.ts";
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with these defaults in its Taskfile. */
function withDefaults(defaults: string): string {
  const root = demo();
  const text = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  put(root, "Taskfile.ts", text.replace("variants: {", `defaults: ${defaults}, variants: {`));
  return root;
}

describe("the defaults of a Taskfile", () => {
  it("hold unless the environment, a file or the command line says another value", async () => {
    const root = withDefaults('{ variant: "prod", options: { greeting: "Welcome" } }');
    put(root, "my.conf", "\nDEMO_GREETING=Good_day\nDEMO_TYPE=debug\n");
    const built = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const run = await runTask(root, ["greet", ...words], env);
      expect(run.status, run.stderr).toBe(0);
      const file = run.stdout.split("  ")[0] ?? "";
      return [file, readFileSync(path.join(root, file), "utf8")];
    };
    expect(await built([])).toEqual(["build/prod.txt", "Welcome World\n"]);
    expect(await built(["--dev"], { DEMO_GREETING: "Hi" })).toEqual(["build/dev.txt", "Hi World\n"]);
    const settings = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const run = await runTask(root, ["settings", "--json", ...words], env);
      expect(run, run.stderr).toMatchObject({ status: 0, stderr: "" });
      return JSON.parse(run.stdout) as readonly { readonly option: string }[];
    };
    expect((await settings([])).filter(({ option }) => option !== "--tc-passwd")).toEqual([
      { option: "variant", value: "prod", from: "Taskfile", where: "Taskfile.ts" },
      { option: "--greeting", value: "Welcome", from: "Taskfile", where: "Taskfile.ts" },
    ]);
    expect(await settings(["-c", "my.conf"], { DEMO_GREETING: "Hi" })).toEqual([
      { option: "variant", value: "debug", from: "file", where: "my.conf:3" },
      { option: "--greeting", value: "Good_day", from: "file", where: "my.conf:2" },
      { option: "--tc-passwd", value: null, from: "built in" },
    ]);
    expect(await settings(["-g", "Hail", "--debug", "-t", "hush"], { DEMO_GREETING: "Hi" })).toEqual([
      { option: "variant", value: "debug", from: "command line", where: "--debug" },
      { option: "--greeting", value: "Hail", from: "command line", where: "--greeting" },
      { option: "--tc-passwd", value: null, from: "command line", where: "--tc-passwd" },
    ]);
    const lines = await runTask(root, ["settings", "-t", "hush"], { DEMO_GREETING: "Hi" });
    expect(lines.stdout).toMatch(/^variant +prod +Taskfile\.ts$/m);
    expect(lines.stdout).toMatch(/^--greeting +Hi +environment \(DEMO_GREETING\)$/m);
    expect(lines.stdout).toMatch(/^--tc-passwd +\*\*\* +command line/m);
    expect(lines.stdout).not.toContain("hush");
  });

  it.each([
    ['{ variant: "prd" }', /default variant is "prd".*\n.*\n {2}hint: did you mean prod\?/],
    ['{ options: { greting: "x" } }', /no option "greting".*\n.*\n {2}hint: did you mean greeting\?/],
    ['{ options: { "tc-passwd": "x" } }', /"tc-passwd" is a secret/],
  ])("%s is refused", async (defaults, message) => {
    const run = await runTask(withDefaults(defaults), ["greet"]);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toContain("where: Taskfile.ts");
  });

  it("choose the source of the real project", async () => {
    const project = await realProject();
    const text = readFileSync(path.join(project, "Taskfile.ts"), "utf8");
    const setDefault = (source: string): void =>
      put(
        project,
        "Taskfile.ts",
        text.replace("...pipeline,", `...pipeline, defaults: { source: "${source}" },`),
      );
    setDefault("sample");
    expect((await runTask(project, ["iso", "-n"])).stdout).toContain("sample-source: would maybe run");
    expect((await runTask(project, ["settings"])).stdout).toMatch(/^--source +sample +Taskfile\.ts$/m);
    setDefault("smaple");
    expect(await runTask(project, ["iso"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /no source "smaple" \[source-unknown\]\n {2}where: Taskfile\.ts\n {2}hint: did you mean sample/,
      ),
    });
  });
});
