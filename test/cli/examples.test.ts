/**
 * Every command and every example that README, `docs/` and `--help` show, in a project of the real Taskfile. What would
 * build is only forecast: a command line that cannot be bound fails there.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { programWords } from "../../src/cli/options/program-command.ts";
import { usesPrograms } from "../support/programs.ts";
import { realProject } from "./real-project.ts";
import { checkout, put, runTask } from "./workshop.ts";

usesPrograms("git");

/** Stand-ins for the names that documents leave open. */
const blanks: Readonly<Record<string, string>> = {
  TARGET: "iso",
  "[TARGET]": "iso",
  REV: "HEAD~1",
  REVISION: "HEAD~1",
  "HEAD~3": "HEAD~1",
  "origin/main": "HEAD~1",
};

/** Command lines without the program's name, out of the `sh` blocks of a document. */
function examplesOf(document: string): readonly string[] {
  const blocks = [...document.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block
      .split("\n")
      .flatMap((line) => /^(?:npx |\.\/bin\/)task(?:\.js)?\b([^#&|>]*)/.exec(line)?.[1]?.trim() ?? []),
  );
}

/** The words of a command line in which at most double quotes keep blanks together. */
function wordsOf(line: string): readonly string[] {
  return (line.match(/(?:"[^"]*"|\S)+/g) ?? []).map((word) => word.replaceAll('"', ""));
}

/** Texts of such files, by the ending of their names. */
const texts = { ".lst": "bash.tcz\n", ".passwd": "s3cret\n", ".cfg": "MK_BUNDLE_SOURCE=sample\n" } as const;

/** Files that an example names and that a reader would have. */
function prepareFiles(project: string, words: readonly string[]): void {
  for (const word of words)
    for (const [ending, text] of Object.entries(texts))
      if (word.endsWith(ending) && !existsSync(path.join(project, word))) put(project, word, text);
}

/** Options with a value that are for what comes after a build. */
const afterBuild = ["--summary", "--trace", "--report", "--on-success", "--on-failure"];

/** The words to run: those of a build with `-n`, and without what only makes sense with a build. */
function harmless(words: readonly string[]): readonly string[] | undefined {
  const [first = ""] = words;
  // These make something, ask the network, or tell of a build that was.
  if (["init", "completion", "doctor", "log"].includes(first)) return [first, "--help"];
  // It reads a release that was published.
  if (words.includes("--verify")) return [first, "--help"];
  const builds = first === "matrix" || !(programWords as readonly string[]).includes(first);
  if (!builds || words.includes("--help")) return words;
  const withoutBuild = words.filter(
    (word, index) =>
      word !== "-w" &&
      word !== "--watch" &&
      !afterBuild.includes(word) &&
      !afterBuild.includes(words[index - 1] ?? ""),
  );
  return [...withoutBuild, "-n"];
}

describe("in the real project", () => {
  let project = "";
  const documents = ["README.md", ...readdirSync(path.join(checkout, "docs")).map((name) => `docs/${name}`)];
  const shown = documents
    .filter((name) => name.endsWith(".md"))
    // The examples for authors have tasks of their own; they have a test of their own.
    .filter((name) => name !== "docs/tasks.md")
    .flatMap((name) => examplesOf(readFileSync(path.join(checkout, name), "utf8")));

  async function succeed(words: readonly string[]): Promise<string> {
    const run = await runTask(project, words, { GIT_CONFIG_GLOBAL: "/dev/null" });
    expect(run, `task ${words.join(" ")}: ${run.stderr}`).toMatchObject({ status: 0 });
    return run.stdout;
  }

  beforeAll(async () => {
    project = await realProject({ kept: true });
    const git = (...words: readonly string[]): unknown =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...words], {
        cwd: project,
      });
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "first");
    put(project, "lists/gem.list", `${readFileSync(path.join(project, "lists/gem.list"), "utf8")}# more\n`);
    git("commit", "-qam", "second");
  });

  it("the graph of all targets, and what a revision affects, are shown", async () => {
    const graph = JSON.parse(await succeed(["graph", "--format", "json"]));
    const ids = graph.map(({ id }: { readonly id: string }) => id);
    expect(ids).toContain("rebuild-iso@dev");
    expect(ids).toContain("unpack-bundle");
    // Both make the ISO: only one of them is in a graph.
    expect(ids).not.toContain("iso-from-bundle@dev");
    const affected = (await succeed(["affected", "--since", "HEAD~1"])).trim().split("\n");
    expect(affected).toContain("fetch-gems");
    expect(affected).toContain("rebuild-iso");
    expect(affected).not.toContain("fetch-iso");
    expect(await succeed(["affected", "--since", "HEAD"])).toBe("");
  });

  it("a task that reads the file of an option that is not set says which option", async () => {
    expect(await runTask(project, ["unpack-bundle", "-n"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /unpack-bundle needs --bundle, which is not set \[option-missing\]\n {2}hint: add --bundle FILE/,
      ),
    });
  });

  it("every example of README and docs is understood", async () => {
    expect(shown.length).toBeGreaterThan(3);
    for (const example of new Set(shown)) {
      const words = wordsOf(example);
      if (words.length === 0) continue;
      prepareFiles(project, words);
      const run = harmless(words.map((word) => blanks[word] ?? word));
      if (run !== undefined) await succeed(run);
    }
  });

  it("every target and command has a help whose examples are understood", async () => {
    const names = JSON.parse(await succeed(["list", "--json"])).map(
      ({ name }: { readonly name: string }) => name,
    );
    const helps = await Promise.all(
      [[], ...[...names, ...programWords].map((name) => [name])].map((words) =>
        succeed([...words, "--help"]),
      ),
    );
    // A long example stands on a line of its own.
    const examples = helps.flatMap((help) =>
      (/^Examples:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(help)?.[1] ?? "")
        .split("\n")
        .flatMap((line) => /^ {2}task (.+?)(?: {2,}.*)?$/.exec(line)?.[1] ?? []),
    );
    expect(examples.length).toBeGreaterThan(10);
    for (const example of new Set(examples)) {
      if (example.includes("|")) continue;
      const words = wordsOf(example);
      prepareFiles(project, words);
      const run = harmless(words.map((word) => blanks[word] ?? word));
      if (run !== undefined) await succeed(run);
    }
  });
});
