/** A damaged or foreign cache is made again, and nothing that it brought is run. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { said, saying, settle, withHook } from "./saying.ts";
import { put, runTask } from "./workshop.ts";

/** What is in a directory, and the text of its files. */
const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const file = path.join(directory, name);
      return statSync(file).isFile() ? `${name}: ${readFileSync(file, "utf8")}` : name;
    });

/** Every file below the cache, relative to it. */
function filesOf(root: string): readonly string[] {
  const cache = path.join(root, ".buildcache");
  return readdirSync(cache, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(path.join(cache, name)).isFile())
    .sort();
}

const damages: Readonly<Record<string, (file: string) => void>> = {
  "a flipped bit": (file) => {
    const bytes = readFileSync(file);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    rmSync(file);
    writeFileSync(file, bytes);
  },
  "its second half missing": (file) => {
    const half = Math.floor(statSync(file).size / 2);
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, bytes);
    truncateSync(file, half);
  },
  nothing: (file) => rmSync(file),
};

describe("the cache", () => {
  it.each(Object.entries(damages))(
    "with %s in place of any file of it costs a note at most, once",
    { timeout: 300_000 },
    async (_, damage) => {
      const root = saying("right");
      put(root, "in/script", "echo printed\n");
      await settle(root, ["says", "greet"]);
      const files = filesOf(root);
      expect(files.filter((name) => name.startsWith("compiled/")).length).toBeGreaterThanOrEqual(7);
      expect(files.filter((name) => name.startsWith("v1/")).length).toBeGreaterThan(7);
      for (const name of files) {
        const file = path.join(root, ".buildcache", name);
        // A run before this one may have made it anew under another name.
        if (!existsSync(file)) continue;
        damage(file);
        // Only a short answer is replayed without the program.
        const words = name.includes("up-to-date") ? ["says", "greet"] : ["says", "greet", "-v"];
        const run = await runTask(root, words);
        expect(run.status, `${name}: ${run.stderr}`).toBe(0);
        expect(run.stderr, name).not.toMatch(/^\s+at |error/m);
        expect((run.stderr.match(/note:/g) ?? []).length, `${name}: ${run.stderr}`).toBeLessThan(2);
        expect(said(root), name).toBe("right");
        expect(readFileSync(path.join(root, "build/dev.txt"), "utf8"), name).toBe("Hello World\n");
      }
      const last = await runTask(root, ["says", "greet"]);
      expect(last.stderr).not.toMatch(/note/);
      expect(last.stderr).toMatch(/nothing to do/);
    },
  );

  it("from another directory is compiled again, and runs nothing that it brought", async () => {
    const root = saying("right");
    await settle(root, ["says"]);
    const other = saying("right");
    cpSync(path.join(root, ".buildcache"), path.join(other, ".buildcache"), { recursive: true });
    const compiled = path.join(other, ".buildcache/compiled");
    const programs = readdirSync(compiled, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".cjs"),
    );
    expect(programs.length).toBeGreaterThan(3);
    for (const name of programs) {
      const file = path.join(compiled, name);
      writeFileSync(
        file,
        `require("node:fs").writeFileSync(${JSON.stringify(path.join(other, "pwned"))}, "");\n${readFileSync(file, "utf8")}`,
      );
    }
    const run = await runTask(other, ["says"]);
    expect(run.status, run.stderr).toBe(0);
    expect(existsSync(path.join(other, "pwned"))).toBe(false);
    expect(said(other)).toBe("right");
  });

  it("that came with its key is compiled again: its packer could seal anything", async () => {
    const root = saying("right");
    await settle(root, ["says"]);
    const key = path.join(root, ".buildcache/compiled/seal.key");
    const bytes = readFileSync(key);
    rmSync(key);
    writeFileSync(key, bytes, { mode: 0o600 });
    const run = await runTask(root, ["says", "-v"]);
    expect(run.stderr).toMatch(/^note: the compiled program is damaged, or comes from another directory/m);
    expect(run.status).toBe(0);
  });

  it("with links for its directories has nothing made, changed or removed where they lead", async () => {
    const root = saying("right");
    const outside = path.join(root, "outside");
    for (const name of ["old/precious", "seal.key", "secret.key", "manifest.json", "tmp/precious"])
      put(outside, name, "mine");
    // Tidying takes what is old.
    for (const name of readdirSync(outside)) utimesSync(path.join(outside, name), 1, 1);
    const before = filesIn(outside);
    for (const name of ["compiled", "v1"]) {
      rmSync(path.join(root, ".buildcache"), { recursive: true, force: true });
      mkdirSync(path.join(root, ".buildcache"));
      symlinkSync(outside, path.join(root, ".buildcache", name));
      for (const words of [["list"], ["says"], ["cache", "clear"]]) {
        const run = await runTask(root, words);
        expect(run.status, run.stderr).toBe(0);
        expect(filesIn(outside), `${name}, ${words}`).toEqual(before);
      }
    }
  });

  it.each([
    ["before the start", /^note: the compiled program is damaged/m],
    ["when the start has looked at them", /^note: a compiled library is damaged; compiling it again$/m],
  ])("in which libraries are replaced %s runs none of the replacements", async (when, note) => {
    const root = saying("right");
    // It runs a command, for which a library is loaded.
    await settle(root, ["greet"]);
    const replace = `const fs = require("node:fs");
const replace = () => {
  for (const name of fs.readdirSync(".buildcache/compiled", { recursive: true }))
    if (/^libraries-.*[.]cjs$/.test(name)) {
      const file = ".buildcache/compiled/" + name;
      const text = read(file, "utf8");
      fs.rmSync(file);
      fs.writeFileSync(file, 'require("node:fs").writeFileSync("pwned", "");' + text);
    }
};
const read = fs.readFileSync;
`;
    const atOnce = `${replace}replace();`;
    // V8's cache is read last of all, just before the program runs.
    const later = `${replace}let done = false;
fs.readFileSync = (file, ...rest) => {
  if (String(file).endsWith(".v8") && !done) { done = true; replace(); }
  return read(file, ...rest);
};`;
    const run = await runTask(
      root,
      ["greet", "-f"],
      withHook(root, when === "before the start" ? atOnce : later),
    );
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toMatch(note);
    expect(existsSync(path.join(root, "pwned"))).toBe(false);
    const next = await runTask(root, ["greet", "-f"]);
    expect(next.stderr).not.toMatch(/damaged/);
    expect(next.status).toBe(0);
  });

  it("in which only the compiled program was replaced does not run the replacement", async () => {
    const root = saying("right");
    await settle(root, ["says"]);
    const compiled = path.join(root, ".buildcache/compiled");
    for (const name of readdirSync(compiled, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith("program.cjs")) continue;
      writeFileSync(
        path.join(compiled, name),
        `require("node:fs").writeFileSync(${JSON.stringify(path.join(root, "pwned"))}, "");`,
      );
    }
    const run = await runTask(root, ["list"]);
    expect(run).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^note: the compiled program is damaged/),
    });
    expect(existsSync(path.join(root, "pwned"))).toBe(false);
    expect((await runTask(root, ["list"])).stderr).toBe("");
  });
});
