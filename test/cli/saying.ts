/** A workspace whose task says what a module of its own says, for tests of how sources are compiled. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with the task `says`, whose text is in a module of its own. */
export function saying(text: string): string {
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

export const said = (root: string): string => readFileSync(path.join(root, "build/said"), "utf8");

/** Runs the program with this in it before anything else. */
export function withHook(root: string, code: string): Readonly<Record<string, string>> {
  const file = path.join(root, "hook.cjs");
  writeFileSync(file, code);
  return { NODE_OPTIONS: `--require "${file}"` };
}

/** Builds, and again when all sources are older than the clock's grain: before that what was compiled is never used again. */
export async function settle(root: string, words: readonly string[]): Promise<void> {
  await runTask(root, words);
  const old = Date.now() + 2100;
  // What is waited for is the clock itself.
  while (Date.now() < old) await new Promise((resolve) => setTimeout(resolve, old - Date.now()));
  for (let time = 0; time < 2; time += 1) await runTask(root, words);
}
