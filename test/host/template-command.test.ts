/** Commands that are started without a shell: their arguments are those that bash would give them. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { argvOf } from "../../src/host/template-command.ts";

const root = mkdtempSync(path.join(tmpdir(), "template command "));
afterAll(() => rmSync(root, { recursive: true }));

/** The parts of a template, as its tag receives them. */
function parts(pieces: TemplateStringsArray, ...values: readonly unknown[]) {
  return { pieces: [...pieces], values };
}
type Parts = ReturnType<typeof parts>;

/** The command line that zx makes of each template. */
async function linesOf(templates: readonly Parts[]): Promise<readonly string[]> {
  const { $ } = await import("zx/core");
  return templates.map(({ pieces, values }) => {
    const command = $({ halt: true })(
      Object.assign([...pieces], { raw: [...pieces] }),
      ...values.map(String),
    );
    return command.cmd;
  });
}

/** The words that bash makes of each line. */
function wordsInBash(lines: readonly string[]): readonly string[] {
  const script = path.join(root, "script");
  const code = ['program() { printf "%s\\0" program "$@"; printf "\\1"; }', ...lines];
  writeFileSync(script, code.join("\n"));
  return execFileSync("bash", ["--norc", script], { encoding: "utf8" }).split("\u0001").slice(0, -1);
}

const text = fc.constantFrom(" ", "  ", "\t", "x", "1", "-n ", " a=b", ":", " =", " --x=", "/");
const shellText = fc.constantFrom(
  "~",
  "*",
  "?",
  "[a]",
  "{a,b}",
  "#",
  "!",
  "&",
  ";",
  "|",
  "(",
  "$x",
  "`x`",
  "\\",
  '"',
  "'",
  "<",
  ">",
  "\n",
);
const value = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "~",
    "*",
    "a b",
    "it's",
    "\\",
    "\n",
    "\t\v\f\r",
    "ü",
    "$x",
    "--x",
    "a=b",
    ";",
    ">",
  ),
  fc.string({ unit: "grapheme-ascii" }),
);

describe("a template without shell syntax", () => {
  it("has the words that bash gives the line that zx makes of it", async () => {
    const templates = fc.sample(
      fc.array(fc.tuple(text, value), { maxLength: 5 }).map((pairs) => ({
        pieces: ["program ", ...pairs.map(([piece]) => piece)],
        values: pairs.map(([, one]) => one),
      })),
      { numRuns: 300, seed: 20 },
    );
    const direct = templates.map(({ pieces, values }) => argvOf(pieces, values));
    expect(direct.filter((argv) => argv === undefined)).toEqual([]);
    const told = wordsInBash(await linesOf(templates));
    expect(direct.map((argv) => argv?.map((word) => `${word}\0`).join(""))).toEqual(told);
  });

  it.each([
    ["one word for each element of an array", parts`cat a${["b", "c d"]}e`, ["cat", "ab", "c de"]],
    ["no word for an empty array, which splits none either", parts`cat ${[]} a${[]}b`, ["cat", "ab"]],
    ["a word for an empty string", parts`cat ${""} ${["", "x"]}`, ["cat", "", "", "x"]],
    ["numbers and truth values as text", parts`cat ${12} ${true}`, ["cat", "12", "true"]],
    ["a command's output without its last line feed", parts`cat ${{ stdout: "a\n\n" }}`, ["cat", "a\n"]],
    ["the program from a value", parts`${"a program"} x`, ["a program", "x"]],
  ])("has %s", (_, { pieces, values }, argv) => {
    expect(argvOf(pieces, values)).toEqual(argv);
  });
});

describe("a template that needs a shell", () => {
  it("is one with a character that means something to it, wherever it is", () => {
    fc.assert(
      fc.property(text, shellText, text, (before, special, after) => {
        expect(argvOf([`program ${before}${special}${after}`], [])).toBeUndefined();
        expect(argvOf(["program ", `${before}${special}${after}`], ["x"])).toBeUndefined();
      }),
    );
  });

  it.each([
    ["a command of the shell", parts`echo x`],
    ["a command of the shell by a value", parts`${"cd"} x`],
    ["a keyword", parts`while`],
    ["an assignment", parts`x=1 cat`],
    ["an option in the place of the program", parts`-x cat`],
    ["nothing", parts``],
    ["an empty name", parts`${""} x`],
    ["a null character", parts`cat ${"a\0b"}`],
  ])("is %s", (_, { pieces, values }) => {
    expect(argvOf(pieces, values)).toBeUndefined();
  });
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

  it("has the output of other commands among its arguments, with those that still run", async () => {
    const started = await run(async ($) => {
      const done = await $`expr 1 + 1`;
      expect((await $`printf-by-name ${done}`.nothrow()).exitCode).toBe(127);
      expect((await $`expr ${$`expr 2 + 2`} + ${done}`).stdout).toBe("6\n");
      expect((await $`expr ${["7", "-", "1"]}`).stdout).toBe("6\n");
      await expect($`expr ${$`expr 0`} + 1`).rejects.toMatchObject({ cause: { exitCode: 1, stdout: "0\n" } });
    });
    expect(started).toEqual(["expr", "bash", "expr", "expr", "expr", "expr"]);
  });

  it("fails as it would in a shell: with its status, or with bash's word for what is not there", async () => {
    const started = await run(async ($) => {
      await expect($`false-by-name x`).rejects.toMatchObject({ exitCode: 127 });
      await expect($`expr 0`).rejects.toMatchObject({ exitCode: 1, stdout: "0\n" });
    });
    expect(started).toEqual(["bash", "expr"]);
  });

  it("is left to the shell where its template or its options ask for one", async () => {
    const file = path.join(root, "a b's");
    const started = await run(async ($) => {
      await $`expr 1 + 1 > ${file}`;
      await $`expr 2 + 1 >> ${path.basename(file)}`;
      expect((await $({ postfix: "; printf end" })`expr 1 + 1`).stdout).toBe("2\nend");
      expect((await $({ prefix: "x=3;" })({ cwd: "/" })`expr 1 + 1`).stdout).toBe("2\n");
    });
    expect([readFileSync(file, "utf8"), started]).toEqual(["2\n3\n", ["bash", "bash", "bash", "bash"]]);
  });

  it("is found behind directories of PATH that cannot be entered", async () => {
    const file = path.join(root, "no directory");
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
