/** What a user relies on when editing tasks: the ones whose code changed run again, and no others. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask } from "./workshop.ts";

const engine = /from "([^"]*src\/engine\/index\.ts)"/;

/** Three modules: `first`, `second` which imports it, and a factory that makes `third`. */
function modules(): string {
  const root = demo();
  const from = engine.exec(readFileSync(path.join(root, "tasks/all.ts"), "utf8"))?.[1] ?? "";
  const head = `import { writeFileSync } from "node:fs";\nimport { out, task } from "${from}";\n`;
  const body = (text: string): string =>
    `outputs: { text: out.file("text") }, run: ({ outputs }) => writeFileSync(outputs.text, ${text})`;
  put(
    root,
    "tasks/first.ts",
    `${head}export const first = task({ name: "first", description: "", ${body('"1"')} });\n`,
  );
  put(
    root,
    "tasks/second.ts",
    `${head}import { first } from "./first.ts";\nexport const second = task({ name: "second", description: "", needs: { first }, ${body('"2"')} });\n`,
  );
  put(
    root,
    "tasks/factory.ts",
    `${head}export const make = (name: string, text: string) => task({ name, description: "", ${body("text")} });\n`,
  );
  put(
    root,
    "tasks/third.ts",
    `import { make } from "./factory.ts";\nexport const third = make("third", "3");\n`,
  );
  put(
    root,
    "Taskfile.ts",
    `import { taskfile } from "./${path.join("tasks", from)}";
import { second } from "./tasks/second.ts";
import { first } from "./tasks/first.ts";
import { third } from "./tasks/third.ts";
export default taskfile({ title: "", targets: [first, second, third], variants: { dev: { description: "", flags: [] } } });
`,
  );
  return root;
}

async function outcomes(root: string): Promise<readonly string[]> {
  const { stderr } = await runTask(root, ["second", "third"]);
  return stderr
    .split("\n")
    .filter((line) => /^[✓=]/.test(line))
    .map((line) => line.replace(/ \(.*\)$/, ""))
    .sort();
}

const allFresh = ["= first: fresh", "= second: fresh", "= third: fresh"];

describe("the code of a task", () => {
  it("is the same at every start, also from V8's cache", async () => {
    const root = modules();
    await outcomes(root);
    for (let start = 0; start < 4; start += 1) expect(await outcomes(root)).toEqual(allFresh);
  });

  it("is its own module and what that imports, not what imports it", async () => {
    const root = modules();
    await outcomes(root);
    const second = readFileSync(path.join(root, "tasks/second.ts"), "utf8");
    put(root, "tasks/second.ts", second.replace('"2"', '"two"'));
    expect(await outcomes(root)).toEqual([
      "= first: fresh",
      "= third: fresh",
      "✓ second: rebuilt, its code changed",
    ]);
  });

  it("is the factory's that made it, and that of the factory's caller", async () => {
    const root = modules();
    await outcomes(root);
    const factory = readFileSync(path.join(root, "tasks/factory.ts"), "utf8");
    put(root, "tasks/factory.ts", `${factory}// edited\n`);
    expect(await outcomes(root)).toEqual([
      "= first: fresh",
      "= second: fresh",
      "✓ third: rebuilt, its code changed",
    ]);
    put(
      root,
      "tasks/third.ts",
      `import { make } from "./factory.ts";\nexport const third = make("third", "three");\n`,
    );
    expect(await outcomes(root)).toEqual([
      "= first: fresh",
      "= second: fresh",
      "✓ third: rebuilt, its code changed",
    ]);
  });
});
