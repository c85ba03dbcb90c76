/** A random Taskfile as text: what its tasks make says everything about what they read. */
import path from "node:path";
import type { Random } from "./random.ts";

export interface Recipe {
  readonly tasks: readonly TaskRecipe[];
}

export interface TaskRecipe {
  readonly name: string;
  readonly kind: "file" | "tree" | "shell";
  readonly place: "artifact" | "cache";
  /** Directories of `in/` whose files it reads, and single files. */
  readonly directories: readonly string[];
  readonly single: string | undefined;
  readonly needs: readonly string[];
  readonly takesWord: boolean;
  readonly shared: boolean;
}

export const directories = ["a", "b", "c"] as const;
export const fileNames = ["x", "y", "deep/z", "ä ö"] as const;
export const singles = ["in/one", "in/two"] as const;

export function randomRecipe(random: Random): Recipe {
  const tasks: TaskRecipe[] = [];
  const count = 3 + random.below(4);
  for (let index = 0; index < count; index += 1) {
    const shared = random.chance(0.3);
    const possible = tasks.filter((one) => !shared || one.shared).map(({ name }) => name);
    const needs = possible.filter(() => random.chance(0.5));
    tasks.push({
      name: `t${index}`,
      kind: random.pick(["file", "tree", "shell"]),
      place: random.pick(["artifact", "cache"]),
      directories: directories.filter(() => random.chance(needs.length === 0 ? 0.7 : 0.3)),
      single: random.chance(0.5) ? random.pick(singles) : undefined,
      needs,
      // One task does, or the option would not exist.
      takesWord: index === 0 || random.chance(0.3),
      shared,
    });
  }
  return { tasks };
}

/** The module that all tasks import; `salt` is the part of it that is edited. */
export function libraryText(salt: string): string {
  return `import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

export const salt = ${JSON.stringify(salt)};

/** Everything below a path as text: names, executable bits, contents. */
export function tell(root: string, paths?: readonly string[]): string {
  const status = paths === undefined ? statSync(root) : undefined;
  if (status?.isDirectory() === false) return \`\${(status.mode & 0o100) === 0 ? "-" : "x"} \${readFileSync(root, "utf8")}\\n\`;
  const all = paths ?? (readdirSync(root, { recursive: true }) as string[]).sort();
  return all
    .filter((name) => statSync(path.join(root, name)).isFile())
    .map((name) => \`\${name} \${tell(path.join(root, name))}\`)
    .join("");
}

/** What the test wants to happen while the task runs; none of it changes what is made. */
export async function meet(task: string, signal: AbortSignal, log: (text: string) => void): Promise<void> {
  const directory = process.env.FUZZ_TROUBLE ?? "";
  const file = path.join(directory, task);
  const trouble = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (trouble === "") return;
  writeFileSync(\`\${file}.met\`, "");
  switch (trouble) {
    case "fail":
      throw new Error("as the test wants it");
    case "huge":
      for (let count = 0; count < 64; count += 1) log("long ".repeat(20_000));
      return;
    case "late":
      setImmediate(() => {
        throw new Error("too late");
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      return;
    case "hang":
      await new Promise(() => {});
      return;
    default:
      // "deaf" goes on although it is told to end.
      while (!existsSync(\`\${file}.go\`) && (trouble === "deaf" || !signal.aborted))
        await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
`;
}

/** The Taskfile; `engine` is the absolute path of the engine's entry, `workspace` of the directory that it is for. */
export function taskfileText({ tasks }: Recipe, engine: string, workspace: string): string {
  const used = path.relative(workspace, engine);
  return `import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { file, files, out, param, task, taskfile } from ${JSON.stringify(used)};
import { meet, salt, tell } from "./tasks/library.ts";

const word = param.text({ name: "word", value: "WORD", description: "a word", default: "none" });
${tasks.map(taskText).join("\n")}
const all = task({
  name: "all", description: "everything", needs: { ${tasks.map(({ name }) => name).join(", ")} },
  outputs: { text: out.artifact("build/all") },
  run: async ({ needs, outputs, signal, log, variant }) => {
    await meet("all", signal, log);
    writeFileSync(outputs.text, variant + Object.values(needs).map((need) => tell(need?.made ?? "")).join("\\n"));
  },
});
export default taskfile({
  title: "Fuzz", targets: [${[...tasks.map(({ name }) => name), "all"].join(", ")}],
  variants: { dev: { description: "", flags: ["--dev"] }, prod: { description: "", flags: ["--prod"] } },
});
`;
}

function taskText(recipe: TaskRecipe): string {
  const { name, kind, place, single, needs, takesWord, shared } = recipe;
  const inputs = [
    ...recipe.directories.map(
      (directory) => `${directory}: files("**", { root: "in/${directory}", optional: true })`,
    ),
    ...(single === undefined ? [] : [`single: file("${single}", { optional: true })`]),
  ];
  const told = [
    "salt",
    ...(takesWord ? ["params.word"] : []),
    ...recipe.directories.map((directory) => `tell(inputs.${directory}.root, inputs.${directory}.paths)`),
    ...(single === undefined ? [] : ["tellOne(inputs.single)"]),
    ...needs.map((need) => `tell(needs.${need}.made)`),
  ];
  const output = kind === "tree" ? "directory" : "file";
  const where = place === "cache" ? `out.${output}("made")` : `out.${artifactOf(output)}("build/${name}")`;
  return `const ${name} = task({
  name: "${name}", description: "${name}", ${shared ? 'variants: "shared", ' : ""}tools: ["sh", "cat"],
  needs: { ${needs.join(", ")} }, params: { ${takesWord ? "word" : ""} }, inputs: { ${inputs.join(", ")} },
  outputs: { made: ${where} },
  run: async ({ ${["$", "needs", "inputs", "params", "outputs", "scratch", "signal", "log"].join(", ")} }) => {
    void [$, needs, inputs, params, scratch];
    const tellOne = (one: string): string => { try { return tell(one); } catch { return "none"; } };
    const text = [${told.join(", ")}].join("\\n");
    void tellOne;
    await meet("${name}", signal, log);
    ${makeText(kind)}
  },
});`;
}

/** How an output in the workspace is declared. */
function artifactOf(output: "directory" | "file"): string {
  return output === "directory" ? "artifactDirectory" : "artifact";
}

function makeText(kind: TaskRecipe["kind"]): string {
  switch (kind) {
    case "file":
      return "writeFileSync(outputs.made, text);";
    case "shell":
      return [
        'writeFileSync(path.join(scratch, "text"), text);',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a template in the text that is made.
        "await $`cat text > ${outputs.made}`;",
      ].join("\n    ");
    case "tree":
      return [
        'mkdirSync(path.join(outputs.made, "sub"));',
        'writeFileSync(path.join(outputs.made, "sub/text"), text, { mode: text.length % 2 === 0 ? 0o755 : 0o644 });',
        'symlinkSync("sub/text", path.join(outputs.made, "link"));',
        'if (text.includes("2")) copyFileSync(path.join(outputs.made, "sub/text"), path.join(outputs.made, "two"));',
      ].join("\n    ");
  }
}
