/** What `--help` tells, of the program, of a target and of a command. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { checkout, demo, put, runTask } from "./workshop.ts";

usesPrograms("mandoc");

describe("help", () => {
  it("of the program begins with its use and the Taskfile's examples, and has every option with its variable", async () => {
    const root = demo();
    const text = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
    const examples = 'examples: [{ command: "greet -g Hail", does: "a greeting of another time" }],';
    put(root, "Taskfile.ts", text.replace("variants: {", `${examples} variants: {`));
    const { status, stdout } = await runTask(root, ["--help"]);
    expect(status).toBe(0);
    const titles = stdout.split("\n").filter((line) => /^[A-Z].*:$/.test(line));
    expect(titles.slice(0, 3)).toEqual(["Examples:", "Targets:", "Commands:"]);
    expect(stdout).toMatch(/^usage: task /);
    expect(stdout).toContain("  task greet -g Hail");
    expect(stdout).toMatch(/-g, --greeting <TEXT>\s+first word \[DEMO_GREETING\]/);
    expect(stdout).not.toContain("--reuse-prev-dl");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("of a target names what goes into it and only the values that it or what it needs depends on", async () => {
    const root = demo();
    const { status, stdout } = await runTask(root, ["hi", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/usage: task greet \[options\]\n +task hi \[options\]/);
    expect(stdout).toMatch(/needs +name\n/);
    expect(stdout).toMatch(/reads +in\/script\b/);
    expect(stdout).toMatch(/runs +cat, sh, sleep\n/);
    expect(stdout).toContain("--greeting <TEXT>");
    const other = await runTask(root, ["name", "-h"]);
    expect(other.stdout).not.toContain("--greeting");
  });

  it("of a command shows how it is used and the options that mean something to it", async () => {
    const { status, stdout } = await runTask(demo(), ["graph", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("usage: task graph [target]");
    expect(stdout).toContain("--format <FORMAT>");
    expect(stdout).not.toContain("--jobs");
  });

  it("of a word that is neither says which was meant", async () => {
    expect(await runTask(demo(), ["grpah", "--help"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/did you mean graph\?/),
    });
  });
});

describe("the manual page", () => {
  const page = path.join(checkout, "man/razor-mk.1");

  it("says what help says (`npm run docs` writes it)", async () => {
    const { stdout } = await runTask(checkout, ["manual"]);
    expect(readFileSync(page, "utf8")).toBe(stdout);
  });

  it("is understood by mandoc, examples before all else, with dashes that can be copied", async () => {
    const lint = execFileSync("mandoc", ["-T", "lint", "-W", "error", page], { encoding: "utf8" });
    expect(lint).toBe("");
    const text = execFileSync("mandoc", ["-T", "utf8", "-O", "width=200", page], { encoding: "utf8" });
    // Bold is a letter, a backspace and the letter again.
    const plain = text.replaceAll(new RegExp(`.${String.fromCharCode(8)}`, "g"), "");
    const titles = plain.split("\n").filter((line) => /^[A-Z][A-Z: ]+$/.test(line));
    expect(titles.slice(0, 4)).toEqual(["NAME", "SYNOPSIS", "EXAMPLES", "TARGETS: LOOK"]);
    expect(plain).toMatch(/^ +-b, --builtin-list <FILE>\n +extensions .*\[MK_BUNDLE_BUILTIN_LIST\]/m);
  });
});
