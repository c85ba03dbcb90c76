/** Workspaces with tasks that misbehave. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { demo, put } from "./workshop.ts";

/** The demonstration with these tasks too: the body of each one's function, in which `c` is the context. */
export function withTasks(bodies: Readonly<Record<string, string>>, more = ""): string {
  const root = demo();
  const names = Object.keys(bodies);
  const tasks = Object.entries(bodies).map(
    ([name, body]) => `export const ${name} = task({ name: "${name}", description: "", params: { password },
  outputs: { text: out.file("text") }, tools: ["sh", "yes", "head", "cat"],
  run: async (c) => { ${body}; writeFileSync(c.outputs.text, "made"); } });`,
  );
  put(
    root,
    "tasks/all.ts",
    `${readFileSync(path.join(root, "tasks/all.ts"), "utf8")}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
${tasks.join("\n")}
${more}`,
  );
  const added = more.includes("export const stuck") ? [...names, "stuck"] : names;
  put(
    root,
    "Taskfile.ts",
    readFileSync(path.join(root, "Taskfile.ts"), "utf8")
      .replace("import { greet,", `import { ${added.join(", ")}, greet,`)
      .replace("targets: [name,", `targets: [${added.join(", ")}, name,`),
  );
  return root;
}

/** Nothing of a build is left. */
export function expectTidy(root: string): void {
  expect(existsSync(path.join(root, ".buildcache/v1/lock"))).toBe(false);
  expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
}
