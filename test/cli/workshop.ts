/** The real program in a small workspace of its own, with its own Taskfile. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach } from "vitest";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("script");

export const checkout = path.resolve(import.meta.dirname, "../..");
export const program = path.join(checkout, "bin/task.js");

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const roots: string[] = [];
const keptRoots: string[] = [];
afterEach(() => remove(roots));
afterAll(() => remove(keptRoots));

function remove(directories: string[]): void {
  for (const root of directories.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** Beside `../src/engine`, as far as its imports can tell. */
const tasksFile = `
import { readFileSync, writeFileSync } from "node:fs";
import { command, file, files, out, param, task } from "ENGINE";
export const greeting = param.text({
  name: "greeting", short: "g", env: "DEMO_GREETING", value: "TEXT", description: "first word", default: "Hello",
});
export const password = param.secret({
  name: "tc-passwd", short: "t", env: "DEMO_PASSWORD", value: "PASSWORD", description: "a secret", default: undefined,
});
export const name = task({
  name: "name", description: "Read the name", inputs: { name: file("in/name") }, outputs: { text: out.file("text") },
  run: ({ inputs, outputs, log }) => { log("reading the name"); writeFileSync(outputs.text, readFileSync(inputs.name, "utf8").trim()); },
});
export const greet = task({
  name: "greet", description: "Greet the name", needs: { name }, params: { greeting, password }, tools: ["sh", "sleep", "cat"],
  inputs: { script: file("in/script"), more: files("in/more/*.txt", { optional: true }) },
  outputs: { text: out.artifact(({ variant }) => \`build/\${variant}.txt\`) },
  run: async ({ $, needs, params, outputs, inputs, scratch }) => {
    const key = \`\${scratch}/key\`;
    writeFileSync(key, params.password?.reveal() ?? "", { mode: 0o600 });
    await $({ env: { ...process.env, KEY: key } })\`sh \${inputs.script}\`;
    writeFileSync(outputs.text, \`\${params.greeting} \${readFileSync(needs.name.text, "utf8")}\\n\`);
  },
});
export const hello = command({ name: "hello", description: "Say hello", params: {}, run: ({ print }) => print("hello") });
`;

const taskfileText = `
import { taskfile } from "ENGINE";
import { greet, greeting, hello, name } from "./tasks/all.ts";
export default taskfile({
  title: "Demo", version: greeting, targets: [name, greet, hello], aliases: { hi: greet },
  variants: {
    dev: { description: "for work", flags: ["--dev"] },
    prod: { description: "for real", flags: ["-p", "--build-prod-image", "--prod"] },
    debug: { description: "for bugs", flags: ["-d", "--debug"] },
  },
  variantEnv: "DEMO_TYPE",
  deprecated: [{ flags: "-r, --reuse-prev-dl", env: "DEMO_RE_USE_PREV_DL", answer: "-r is not needed" }],
});
`;

/** A workspace that holds the demonstration, a space in its name; `kept` for all tests of a file. */
export function demo({ kept = false } = {}): string {
  const root = mkdtempSync(path.join(tmpdir(), "cli test "));
  (kept ? keptRoots : roots).push(root);
  put(root, "in/name", "World\n");
  put(root, "in/script", "true\n");
  const engine = (from: string): string =>
    path.relative(path.join(root, from), path.join(checkout, "src/engine/index.ts"));
  put(root, "tasks/all.ts", tasksFile.replace("ENGINE", engine("tasks")));
  put(root, "Taskfile.ts", taskfileText.replace("ENGINE", `./${engine("")}`));
  return root;
}

/** Written to a temporary file and renamed: a watcher never sees half of it, however slow the machine is. */
export function put(root: string, name: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, ".put"), text);
  renameSync(path.join(root, ".put"), path.join(root, name));
}

function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...extra };
}

/** Starts the program without waiting for it. */
export function startTask(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
) {
  const child: ChildProcess = spawn(process.execPath, [program, ...words], {
    cwd,
    env: environment(env),
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // The program may leave its input unread.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  const done = new Promise<Run>((resolve) =>
    child.once("close", (status) => resolve({ status, stdout, stderr })),
  );
  return { child, done };
}

export function runTask(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Run> {
  return startTask(cwd, words, env, input).done;
}

/** Runs the program on a terminal of its own: each answer is typed when its question has come. */
export function typeTask(
  cwd: string,
  words: readonly string[],
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<{ readonly status: number | null; readonly screen: string }> {
  const quoted = [process.execPath, program, ...words].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", quoted, "/dev/null"], {
    cwd,
    env: { ...environment({}), TERM: "xterm" },
  });
  let screen = "";
  let seen = 0;
  const open = [...answers];
  child.stdout.on("data", (chunk) => {
    screen += chunk;
    const [next] = open;
    const at = next === undefined ? -1 : screen.indexOf(next[0], seen);
    if (next === undefined || at === -1) return;
    seen = at + next[0].length;
    open.shift();
    child.stdin.write(next[1]);
  });
  return new Promise((resolve) => child.once("close", (status) => resolve({ status, screen })));
}

/** Every file below a directory with its content and its time of change; what was compiled is left out. */
export function snapshot(root: string): Readonly<Record<string, string>> {
  const entries = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith(".buildcache/compiled") && statSync(path.join(root, name)).isFile())
    .sort()
    .map((name) => [
      name,
      `${statSync(path.join(root, name)).mtimeMs} ${readFileSync(path.join(root, name), "base64")}`,
    ]);
  return Object.fromEntries(entries);
}
