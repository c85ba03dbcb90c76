/** The documents: their links, the files that they name, and the commands that they show. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseCommandLine } from "../../src/cli/options/command-line.ts";
import { optionsOf } from "../../src/cli/options/option-table.ts";
import { isProgramWord } from "../../src/cli/options/program-command.ts";
import { targetNamed } from "../../src/cli/options/target-name.ts";
import taskfile from "../../Taskfile.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const root = path.resolve(import.meta.dirname, "../..");
const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
const files = listed.split("\n").filter((name) => name !== "");
const read = (name: string): string => readFileSync(path.join(root, name), "utf8");

/** Written by `npm run docs`, and held against the program elsewhere; the changelog tells of what is gone, too. */
const others = ["docs/errors.md", "CHANGELOG.md"];
const documents = files.filter((name) => /^[^/]+\.md$|^docs\/.*\.md$/.test(name) && !others.includes(name));

/** What GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

const textOutsideCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, "");

describe("the documents", () => {
  it.each(documents)("%s links to files and headings that are there", (name) => {
    const links = [...textOutsideCode(read(name)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    for (const [link, target = "", anchor] of links) {
      const file = target === "" ? name : path.join(path.dirname(name), target);
      expect(files, link).toContain(file);
      if (anchor === undefined) continue;
      const headings = [...textOutsideCode(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
        anchorOf(text),
      );
      expect(headings, link).toContain(anchor);
    }
  });

  it.each(documents)("%s names source files that are there", (name) => {
    const named = [...textOutsideCode(read(name)).matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|mjs|js|json))`/g)];
    // A file of the reader's own project, or one that a build makes.
    const own =
      /^(tasks\/[\w-]+\.ts|times\.json|build\.json|release\.json|sources\.lock\.json|manifest\.json|sample\.lock\.json|lists\/sources\.lock\.json|main\.ts)$/;
    const missing = named
      .map(([, file = ""]) => file.replace(/^\.\//, ""))
      .filter((file) => !own.test(file) || files.includes(file))
      .filter((file) => !files.some((known) => known === file || known.endsWith(`/${file}`)));
    expect(missing).toEqual([]);
  });

  it("show commands that the program understands", () => {
    const shown = documents.flatMap((name) => {
      const page = read(name);
      return [
        ...page.matchAll(
          /(?:^|`|(?:script|run): |- )(?:npx (?:task|razor-mk)|\.\/bin\/task\.js) ?([^`\n]*)/gm,
        ),
      ].map(([, words = ""]) => ({ name, words }));
    });
    expect(shown.length).toBeGreaterThan(30);
    const known = (word: string): boolean => isProgramWord(word) || targetNamed(word, taskfile) !== undefined;
    for (const { name, words } of shown) {
      // What a file says is not there to be read.
      const plain = words
        .replace(/ (#|\|\||&&|>).*$/, "")
        .replace(/ --(config|\S+-file) \S+/g, "")
        .trim();
      const argv = plain.split(/\s+(?=(?:[^']*'[^']*')*[^']*$)/).filter((word) => word !== "");
      const [first] = argv;
      // Targets of an example's own project, which its own test runs.
      if (name === "docs/tasks.md" || first === undefined) continue;
      if (first !== "package-list" && !first.startsWith("-"))
        expect(known(first), `${name}: ${words}`).toBe(true);
      const parsed = (): unknown =>
        parseCommandLine(argv, taskfile, {
          env: {},
          variables: () => [],
          cwd: root,
          askSecret: async () => "",
        });
      expect(parsed, `${name}: ${words}`).not.toThrow();
    }
  });

  it("name every option, and none that there is not", () => {
    const page = read("docs/options.md");
    const options = optionsOf(taskfile);
    const missing = options.filter(
      ({ hidden, long }) => !hidden && !new RegExp(`\`[^\`\\n]*${long}\\b`).test(page),
    );
    expect(missing.map(({ long }) => long)).toEqual([]);
    const known = new Set(
      options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short])),
    );
    const named = documents
      .filter((name) => /options|variants|sources|cookbook|README/.test(name))
      .flatMap((name) =>
        [...read(name).matchAll(/(?<=[`\s])(?:task [^`\n]*)?(--[a-z][a-z-]+)/g)].map(([, flag = ""]) => flag),
      );
    const ofOthers = ["--create", "--no-install-recommends"];
    expect([...new Set(named)].filter((flag) => !known.has(flag) && !ofOthers.includes(flag))).toEqual([]);
    const variables = options.flatMap(({ env, hidden }) => (env === undefined || hidden ? [] : [env]));
    const abbreviated = (name: string): boolean =>
      name.split("_").some((_, index, parts) => page.includes(`…_${parts.slice(index).join("_")}\``));
    expect(variables.filter((name) => !page.includes(name) && !abbreviated(name))).toEqual([]);
  });

  it("answer where things are added, with three places at most, all of them there", () => {
    const [, table = ""] =
      /^## Where do I add …\?\n([\s\S]*?)\n\n[^|\n]/m.exec(read("CONTRIBUTING.md")) ?? [];
    const rows = table.split("\n").filter((line) => /^\| (?!what \||---)/.test(line));
    expect(rows.length).toBeGreaterThanOrEqual(10);
    for (const row of rows) {
      const places = [...row.matchAll(/`((?:[\w.-]+\/)*[\w.-]*)`/g)]
        .map(([, place = ""]) => place)
        .filter((place) => /[/.]/.test(place));
      expect(places.length, row).toBeLessThanOrEqual(3);
      for (const place of places)
        expect(
          files.some((name) => name === place || (place.endsWith("/") && name.startsWith(place))),
          `${row}: ${place}`,
        ).toBe(true);
    }
  });

  it("have workflows that are YAML, with the whole history and a cache", () => {
    const blocks = [...read("docs/ci.md").matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
      ([, text = ""]) => text,
    );
    for (const block of blocks) expect(() => parse(block)).not.toThrow();
    const whole = blocks.filter((block) => /npx task iso/.test(block));
    expect(whole).toHaveLength(2);
    for (const block of whole) {
      expect(block).toMatch(/fetch-depth: 0|GIT_DEPTH: "0"/);
      expect(block).toContain(".buildcache");
    }
  });

  it("begin with a README of five minutes", () => {
    expect(read("README.md").split("\n").length).toBeLessThanOrEqual(111);
  });
});
