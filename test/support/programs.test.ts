/** What the set-up for the tests installs: every program that a test calls is declared, and has a package. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { programsOf, programsOfTests } from "../../bin/test-programs.mjs";
import { isInstalled, readTable } from "../../bin/tool-table.mjs";
import { calledPrograms } from "./program-calls.ts";

const directory = path.dirname(import.meta.dirname);

/** Programs of Debian's essential packages, and of apt: these are on every machine that the set-up can prepare. */
const always = (
  "apt-get base64 bash cat chmod chown cp dd diff dpkg dpkg-query env expr find grep gunzip gzip head ldconfig ln localedef ls md5sum mkdir mkfifo " +
  "mktemp mv rm rmdir sed setpriv sh sleep tail tar touch true unshare zcat"
).split(" ");
/** Programs that tests make themselves, or call because nobody has them; and one that runs in a booted image. */
const made = ["false-by-name", "printf-by-name", "greet-nobody-has", "pack-nobody-has", "own-tool", "lscpu"];

function modules(): readonly string[] {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => path.join(directory, name));
}

describe("a machine that verify has set up", () => {
  it("has every program that a test calls", () => {
    const undeclared = modules().flatMap((file) => {
      const declared = [...programsOf(file, directory), ...always, ...made];
      const calls = calledPrograms(readFileSync(file, "utf8"));
      const lacking = calls.filter((name) => !declared.includes(name));
      return lacking.map((name) => `${path.relative(directory, file)}: ${name}`);
    });
    expect(undeclared).toEqual([]);
  }, 120_000);

  it("is not missed by a call that is written otherwise", () => {
    const calls = (text: string) => calledPrograms(text);
    expect(calls('execFileSync("one", [x]); child.spawn("two", []);')).toEqual(["one", "two"]);
    expect(calls("await $`cd x && one -k $" + "{file} | two; A=1 three`")).toEqual(["one", "three", "two"]);
    expect(calls('spawnSync("sh", ["-c", "one \\"$1\\" && two"])')).toEqual(["one", "sh", "two"]);
    expect(calls("await w.$({ nothrow: true })`sh -c $" + '{"one | two"}`')).toEqual(["one", "sh", "two"]);
  });

  it("finds what a module that a test imports declares", () => {
    const programs = programsOfTests(directory);
    expect(programs.get(path.join(directory, "pipeline/boot.test.ts"))).toContain("qemu-system-x86_64");
    expect(programs.get(path.join(directory, "formats/magic.test.ts"))).toContain("bzip2");
  });

  it("gets each program from a package that the table names for apt", () => {
    const table = readTable();
    const named = [...new Set([...programsOfTests(directory).values()].flat()), ...Object.keys(table)];
    expect(named.filter((name) => table[name]?.apt === undefined)).toEqual([]);
  });

  it.skipIf(!isInstalled("dpkg-query") || !existsSync("/etc/debian_version"))(
    "need not install what is essential to Debian anyway",
    () => {
      const query = (format: string) =>
        spawnSync("dpkg-query", ["-W", `-f=${format}`], { encoding: "utf8" }).stdout.split("\n");
      const packages = query("$" + "{Package} $" + "{Essential}\\n").filter((line) => line.endsWith(" yes"));
      const names = [...packages.map((line) => line.split(" ")[0] ?? ""), "apt"];
      const files = spawnSync("dpkg-query", ["-L", ...names], { encoding: "utf8" }).stdout.split("\n");
      const programs = new Set(
        files.filter((file) => /\/s?bin\//.test(file)).map((file) => path.basename(file)),
      );
      // A link that the package's own script makes, not one of its files.
      const byScript = ["sh"];
      expect(always.filter((name) => !programs.has(name) && !byScript.includes(name))).toEqual([]);
    },
  );
});
