/** Commands that are started without a shell: they do what bash would have them do, byte for byte. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { parsePlain } from "../../src/host/plain-command.ts";

const root = mkdtempSync(path.join(tmpdir(), "plain command "));
afterAll(() => rmSync(root, { recursive: true }));

const prefix = "set -euo pipefail;";

/** What bash makes of each line: the words, and the file (with its way of opening) that the output went to. */
function askBash(lines: readonly string[]): readonly string[] {
  const script = path.join(root, "script");
  const quoted = lines.map((line) => `'${line.replaceAll("'", "'\\''")}'`);
  // A function in the program's place; what it prints to a file is told apart by the name `out`.
  const code = [
    'program() { printf "%s\\0" program "$@"; }',
    `cd ${JSON.stringify(root)}; mkdir bash; cd bash`,
    `for line in ${quoted.join(" ")}; do`,
    '  rm -rf ./* ; printf before > ./out; eval "$line" 2>/dev/null',
    '  printf "\\1"; for file in ./*; do printf "%s\\0" "$file"; cat "$file"; printf "\\0"; done; printf "\\2"',
    "done",
  ];
  writeFileSync(script, code.join("\n"));
  try {
    return execFileSync("bash", ["--norc", script], { encoding: "utf8" }).split("\u0002").slice(0, -1);
  } finally {
    rmSync(path.join(root, "bash"), { recursive: true, force: true });
  }
}

/** The same account of what is started without a shell; undefined where it is left to one. */
function account(line: string): string | undefined {
  const plain = parsePlain(prefix + line);
  if (plain === undefined) return undefined;
  const printed = plain.words.map((word) => `${word}\0`).join("");
  const files = new Map([["./out", "before"]]);
  if (plain.output !== undefined) {
    const { file, append } = plain.output;
    const name = `./${path.normalize(file)}`;
    files.set(name, (append ? (files.get(name) ?? "") : "") + printed);
  }
  const listed = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const told = listed.map(([name, text]) => `${name}\0${text}\0`).join("");
  return `${plain.output === undefined ? printed : ""}\u0001${told}`;
}

const piece = fc.oneof(
  fc.constantFrom(
    " ",
    "  ",
    " > out",
    " >> out",
    " > other",
    ">out",
    " 2> other",
    " -n",
    " a=b",
    " $''",
    " ''",
  ),
  fc.constantFrom(
    "x",
    "1",
    "-",
    "=",
    ":",
    "~",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "#",
    " #",
    "!",
    "&",
    ";",
    "|",
    "(",
    ")",
  ),
  fc.constantFrom(
    "$x",
    "$(x)",
    "`x`",
    "\\",
    '"',
    "'",
    "'a b'",
    "$'a\\'b'",
    "$'\\n\\t\\\\'",
    "ü",
    " $'ü~*'",
    "<",
    "\n",
  ),
);

describe("a command line that needs no shell", () => {
  it("has the words and the output that bash gives it, and no other is taken for one", () => {
    const lines = fc.sample(
      fc.array(piece, { maxLength: 6 }).map((pieces) => `program ${pieces.join("")}`),
      { numRuns: 400, seed: 20 },
    );
    const plain = lines.flatMap((line) => {
      const told = account(line);
      return told === undefined ? [] : [{ line, told }];
    });
    expect(plain.length).toBeGreaterThan(40);
    const told = askBash(plain.map(({ line }) => line));
    expect(plain.map(({ line, told }) => [line, told])).toEqual(
      plain.map(({ line }, at) => [line, told[at]]),
    );
  });

  for (const line of [
    "echo x",
    "cd x",
    "x=1 cat",
    "cat a | cat",
    "cat *",
    "cat ~",
    "cat a; cat b",
    "cat < a",
    "cat > a > b",
    "cat >",
    "cat >| a",
    "cat >& a",
    "",
    "> a",
    "! cat",
    "cat $(x)",
    "cat a &",
    "while",
  ]) {
    it(`is not: ${line}`, () => {
      expect(parsePlain(prefix + line)).toBeUndefined();
    });
  }
});

describe("a command that is started without a shell", () => {
  const run = async (use: ($: Shell) => Promise<unknown>): Promise<readonly string[]> => {
    const started: string[] = [];
    const groups = new ProcessGroups({
      wrap: (command, args) => {
        started.push(path.basename(command));
        return [command, args];
      },
    });
    await use(await createShell({ cwd: root, groups }));
    return started;
  };

  it("prints into the file that is named, relative to where it runs, replacing it or appending to it", async () => {
    const file = path.join(root, "a b's");
    const started = await run(async ($) => {
      await $`expr 1 + 1 > ${file}`;
      await $`expr 2 + 1 >> ${path.basename(file)}`;
    });
    expect([readFileSync(file, "utf8"), started]).toEqual(["2\n3\n", ["expr", "expr"]]);
  });

  it("fails as it would in a shell: with its status, or with bash's word for what is not there", async () => {
    const started = await run(async ($) => {
      await expect($`false-by-name x`).rejects.toMatchObject({ exitCode: 127 });
      await expect($`expr 0`).rejects.toMatchObject({ exitCode: 1, stdout: "0\n" });
      await expect($`expr 1 > ${path.join(root, "none/x")}`).rejects.toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("No such file"),
      });
    });
    expect(started).toEqual(["bash", "expr", "bash"]);
  });

  it("is found behind folders of PATH that cannot be entered", async () => {
    const file = path.join(root, "no folder");
    writeFileSync(file, "");
    const env = { PATH: [file, "/usr/bin", "/bin"].join(":") };
    const started = await run(async ($) => expect((await $({ env })`expr 1 + 2`).stdout).toBe("3\n"));
    expect(started).toEqual(["expr"]);
  });

  it("may be a script by its path, and one without a first line for a shell", async () => {
    const script = path.join(root, "script without");
    writeFileSync(script, "expr 1 + 2\n");
    chmodSync(script, 0o755);
    await run(async ($) => expect((await $`${script}`).stdout).toBe("3\n"));
  });
});
