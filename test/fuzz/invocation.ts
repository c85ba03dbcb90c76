/** The real command as a process of its own, and what it is made to meet while its tasks run. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const checkout = path.resolve(import.meta.dirname, "../..");
export const engine = path.join(checkout, "src/engine/index.ts");
const program = path.join(checkout, "bin/task.js");

/** Milliseconds after which a build that does not end is a failure, on a machine that does much else. */
const patience = 60_000;

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Names of the tasks that began to run. */
  readonly started: readonly string[];
  readonly text: string;
}

export interface Invocation {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
}

/** Starts the command; `trouble` is the directory with what its tasks meet. */
export function invoke(cwd: string, words: readonly string[], trouble: string): Invocation {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [program, ...words, "--json"], {
    cwd,
    env: { PATH, HOME, FUZZ_TROUBLE: trouble },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), patience);
  const done = new Promise<Outcome>((resolve) =>
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, started: startedIn(stdout), text: `${stdout}${stderr}`.slice(-4000) });
    }),
  );
  return { child, done };
}

function startedIn(stdout: string): readonly string[] {
  return [...stdout.matchAll(/"type":"task-started","task":"([^"@]+)/g)].map(([, name]) => name ?? "");
}

/** What tasks meet when they run; tasks are told by files in a directory that is outside of every workspace. */
export class Trouble {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  set(task: string, what: string): void {
    writeFileSync(path.join(this.directory, task), what);
  }

  /** Resolves to true when the task has come to its trouble, to false when the build ended without it. */
  async met(task: string, { done }: Invocation): Promise<boolean> {
    let over = false;
    void done.then(() => (over = true));
    while (!over) {
      if (existsSync(path.join(this.directory, `${task}.met`))) return true;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return false;
  }

  /** Lets a task that pauses go on. */
  release(task: string): void {
    writeFileSync(path.join(this.directory, `${task}.go`), "");
  }

  clear(): void {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory);
  }
}
