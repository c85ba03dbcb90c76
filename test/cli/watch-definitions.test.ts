/** A watch whose definitions change: every save counts once, and nothing else counts at all. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { demo, put, startTask } from "./workshop.ts";

interface Told {
  readonly type: string;
  readonly changes?: readonly string[];
  readonly outcome?: string;
  readonly loop?: { readonly path: string };
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end();
});

/** The program in watch mode; `next` waits for an event of a kind, `told` has all that came. */
function watch(root: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { child, done } = startTask(root, [...words, "--watch", "--json"], env);
  open.push(async () => {
    child.kill("SIGKILL");
    await done;
  });
  const told: Told[] = [];
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const next = async (...types: readonly string[]): Promise<Told> => {
    for (;;) {
      const { value, done: over } = await lines.next();
      if (over === true) throw new Error(`ended before ${types.join()}: ${(await done).stderr}`);
      const event = JSON.parse(value) as Told;
      told.push(event);
      if (types.includes(event.type)) return event;
    }
  };
  return { next, told };
}

const made = (root: string): string => readFileSync(path.join(root, "build/dev.txt"), "utf8");

describe("a watch whose definitions are faulty", () => {
  it("does not take files beside them for definitions", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
    const { next, told } = watch(root, ["greet"]);
    await next("cycle-finished");
    put(root, "Taskfile.ts", `${tasks}\nconst broken = ;\n`);
    await next("definitions-kept");
    // As the watch's own log would grow, were it in the workspace.
    for (let line = 0; line < 5; line += 1) {
      writeFileSync(path.join(root, "build.log"), `line ${line}\n`, { flag: "a" });
      writeFileSync(path.join(root, `log.${line}`), "");
      put(root, "in/name", `World ${line}\n`);
      expect(await next("cycle-finished", "definitions-kept")).toMatchObject({
        type: "cycle-finished",
        changes: ["in/name"],
      });
    }
    put(root, "Taskfile.ts", tasks);
    expect(await next("cycle-finished")).toMatchObject({ changes: ["Taskfile.ts"], outcome: "succeeded" });
    expect(told.filter(({ type }) => type === "definitions-kept")).toHaveLength(1);
  });

  it("goes on when the file that they import comes into being", async () => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const { next } = watch(root, ["greet"]);
    await next("cycle-finished");
    put(
      root,
      "tasks/all.ts",
      `import { word } from "./new/word.ts";\n${tasks.replace('default: "Hello"', "default: word")}`,
    );
    await next("definitions-kept");
    put(root, "tasks/new/word.ts", 'export const word = "Bye";\n');
    expect(await next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    expect(made(root)).toBe("Bye World\n");
  });
});

describe("a watch whose definitions are faulty, when what repairs them is saved before it is watched", () => {
  /** Runs `save` (JavaScript) in the program at the moment when it tells that the previous definitions are kept. */
  const savedAtTelling = (root: string, save: string): Readonly<Record<string, string>> => {
    const hook = path.join(root, "hook.cjs");
    writeFileSync(
      hook,
      `const fs = require("node:fs");
const write = process.stdout.write;
process.stdout.write = function (text, ...rest) {
  if (String(text).includes('"definitions-kept"')) {
    process.stdout.write = write;
    ${save}
  }
  return write.call(this, text, ...rest);
};
`,
    );
    return { NODE_OPTIONS: `--require "${hook}"` };
  };

  it.each([
    ["a file that they import, in a new directory", "./new/word.ts", undefined],
    ["a file that they import, beside them", "./word.ts", undefined],
    ["a file that did not compile", "./word.ts", "export const word = ;"],
  ])("builds with %s", async (_what, module, before) => {
    const root = demo();
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    const file = path.join(root, "tasks", module);
    const env = savedAtTelling(
      root,
      `fs.mkdirSync(${JSON.stringify(path.dirname(file))}, { recursive: true });
    fs.writeFileSync(${JSON.stringify(file)}, 'export const word = "Bye";\\n');`,
    );
    if (before !== undefined) put(root, path.join("tasks", module), before);
    const { next } = watch(root, ["greet"], env);
    await next("cycle-finished");
    put(
      root,
      "tasks/all.ts",
      `import { word } from "${module}";\n${tasks.replace('default: "Hello"', "default: word")}`,
    );
    await next("definitions-kept");
    expect(await next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    expect(made(root)).toBe("Bye World\n");
  });
});

describe("a watch", () => {
  it("builds what was saved while its definitions were compiled", async () => {
    const root = demo();
    put(root, "tasks/word.ts", 'export const word = "Old";\n');
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    put(
      root,
      "tasks/all.ts",
      `import { word } from "./word.ts";\n${tasks.replace('default: "Hello"', "default: word")}`,
    );
    const hook = path.join(root, "hook.cjs");
    writeFileSync(
      hook,
      `const fs = require("node:fs");
const read = fs.readFileSync;
let saved = false;
fs.readFileSync = (file, ...options) => {
  const bytes = read(file, ...options);
  if (!saved && String(file).endsWith("/tasks/word.ts")) {
    saved = true;
    fs.writeFileSync(file, 'export const word = "New";\\n');
  }
  return bytes;
};
require("node:module").syncBuiltinESMExports();
`,
    );
    const { next } = watch(root, ["greet"], { NODE_OPTIONS: `--require "${hook}"` });
    await next("cycle-finished");
    expect(await next("cycle-finished")).toMatchObject({ changes: ["tasks/word.ts"], outcome: "succeeded" });
    expect(made(root)).toBe("New World\n");
  });

  it("stops when each build changes a definition again, and names it", async () => {
    const root = demo();
    put(root, "tasks/count.ts", "export const count = 0;\n");
    const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
    put(
      root,
      "tasks/all.ts",
      `import { count } from "./count.ts";\n${tasks}
export const counts = task({ name: "counts", description: "", outputs: { text: out.file("text") }, run: ({ outputs }) => {
  writeFileSync(outputs.text, String(count));
  writeFileSync(${JSON.stringify(path.join(root, "tasks/count.ts"))}, \`export const count = \${count + 1};\\n\`);
} });
`,
    );
    put(
      root,
      "Taskfile.ts",
      readFileSync(path.join(root, "Taskfile.ts"), "utf8")
        .replace("import { greet,", "import { counts, greet,")
        .replace("targets: [name,", "targets: [counts, name,"),
    );
    const { next, told } = watch(root, ["counts"]);
    expect((await next("loop")).loop).toMatchObject({ path: "tasks/count.ts" });
    expect(told.filter(({ type }) => type === "cycle-finished").length).toBeLessThan(12);
    put(root, "tasks/count.ts", "export const count = 1000;\n");
    expect(await next("cycle-started")).toMatchObject({ changes: ["tasks/count.ts"] });
  });
});
