/** The compiled program always matches its sources, and is compiled again when damaged. */
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
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with the task `says`, whose text is in a module of its own. */
function saying(text: string): string {
  const root = demo();
  put(root, "tasks/said.ts", `export const said = ${JSON.stringify(text)};\n`);
  put(
    root,
    "tasks/all.ts",
    `import { said } from "./said.ts";\n${readFileSync(path.join(root, "tasks/all.ts"), "utf8")}
export const says = task({ name: "says", description: "Say it", outputs: { text: out.artifact(() => "build/said") },
  run: async ({ outputs }) => {
    if (process.env.SAVE_SOURCE !== undefined) writeFileSync(process.env.SAVE_SOURCE, 'export const said = "later";\\n');
    writeFileSync(outputs.text, said);
  } });
`,
  );
  put(
    root,
    "Taskfile.ts",
    readFileSync(path.join(root, "Taskfile.ts"), "utf8")
      .replace("import { greet,", "import { says, greet,")
      .replace("targets: [name,", "targets: [says, name,"),
  );
  return root;
}

const said = (root: string): string => readFileSync(path.join(root, "build/said"), "utf8");

/** Runs the program with this in it before anything else. */
function withHook(root: string, code: string): Readonly<Record<string, string>> {
  const file = path.join(root, "hook.cjs");
  writeFileSync(file, code);
  return { NODE_OPTIONS: `--require "${file}"` };
}

/** What is in a folder, and the text of its files. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      return statSync(file).isFile() ? `${name}: ${readFileSync(file, "utf8")}` : name;
    });

describe("a source that is saved", () => {
  it.each(["before", "after"])(
    "just %s it is read for the compiler is built as it is at the next run",
    async (when) => {
      const root = saying("old");
      const env = withHook(
        root,
        `const fs = require("node:fs");
const read = fs.readFileSync;
let saved = false;
fs.readFileSync = (file, ...options) => {
  if (saved || !String(file).endsWith("/tasks/said.ts")) return read(file, ...options);
  saved = true;
  const before = read(file, ...options);
  fs.writeFileSync(file, 'export const said = "new";\\n');
  return ${when === "before" ? "read(file, ...options)" : "before"};
};
require("node:module").syncBuiltinESMExports();
`,
      );
      expect(await runTask(root, ["says"], env)).toMatchObject({ status: 0 });
      expect(readFileSync(path.join(root, "tasks/said.ts"), "utf8")).toContain("new");
      expect(await runTask(root, ["says"])).toMatchObject({ status: 0 });
      expect(said(root)).toBe("new");
    },
  );

  it("while the task that imports it runs leaves no stamp, and is named", async () => {
    const root = saying("old");
    const env = { SAVE_SOURCE: path.join(root, "tasks/said.ts") };
    const run = await runTask(root, ["says"], env);
    expect(run).toMatchObject({ status: 0 });
    expect(run.stderr).toContain("tasks/said.ts changed while says ran");
    expect(said(root)).toBe("old");
    const next = await runTask(root, ["says"]);
    expect(next.stderr).toMatch(/✓ says: rebuilt/);
    expect(said(root)).toBe("later");
  });

  it("together with a package.json that changes how it is compiled is compiled anew", async () => {
    const root = saying("old");
    await runTask(root, ["says"]);
    put(root, "tasks/package.json", '{ "type": "commonjs" }\n');
    expect((await runTask(root, ["says"])).stderr).toMatch(/✓ says: rebuilt, its code changed/);
  });

  it("beside a tsconfig.json is compiled as it would be without", async () => {
    const root = saying("old");
    await runTask(root, ["says"]);
    put(
      root,
      "tsconfig.json",
      '{ "compilerOptions": { "target": "es5", "paths": { "./said.ts": ["./other.ts"] } } }\n',
    );
    put(root, "tasks/all.ts", `${readFileSync(path.join(root, "tasks/all.ts"), "utf8")}\n// edited\n`);
    expect(await runTask(root, ["says"])).toMatchObject({ status: 0 });
    expect(said(root)).toBe("old");
  });
});

/** Every file below the cache, relative to it. */
function filesOf(root: string): readonly string[] {
  const cache = path.join(root, ".buildcache");
  return readdirSync(cache, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(path.join(cache, name)).isFile())
    .sort();
}

/** Builds, and again when all sources are older than the clock's grain: before that what was compiled is never used again. */
async function settle(root: string, words: readonly string[]): Promise<void> {
  await runTask(root, words);
  const old = Date.now() + 2100;
  // What is waited for is the clock itself.
  while (Date.now() < old) await new Promise((resolve) => setTimeout(resolve, old - Date.now()));
  for (let time = 0; time < 2; time += 1) await runTask(root, words);
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

  it("from another folder is compiled again, and runs nothing that it brought", async () => {
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

  it("that came with its key is compiled again: whoever packed it could seal anything", async () => {
    const root = saying("right");
    await settle(root, ["says"]);
    const key = path.join(root, ".buildcache/compiled/seal.key");
    const bytes = readFileSync(key);
    rmSync(key);
    writeFileSync(key, bytes, { mode: 0o600 });
    const run = await runTask(root, ["says", "-v"]);
    expect(run.stderr).toMatch(/^note: what was compiled earlier was damaged, or comes from another folder/m);
    expect(run.status).toBe(0);
  });

  it("with links for its folders has nothing made, changed or removed where they lead", async () => {
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
