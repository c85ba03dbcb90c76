/**
 * The last build in which anything ran, kept for `task log`: what became of each task, why, and what it printed. One file
 * of bounded size in the cache.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  type BuildEvent,
  describeReason,
  isDigest,
  type Reason,
  type State,
  type TaskId,
} from "../../engine/index.ts";
import { headline } from "./failure.ts";
import { TaskOutputs } from "./task-outputs.ts";

/** Bytes that are kept of each task's output, and of all together. */
const keptBytes = 256 * 1024;
const keptInAll = 4 * 1024 ** 2;
const version = 1;

export interface TaskLog {
  /** `name@variant`. */
  readonly task: string;
  readonly verdict: "fresh" | "restored" | "rebuilt" | "failed" | "skipped";
  readonly seconds: number;
  readonly reasons: readonly string[];
  /** What it printed; of a restored one, what its run printed. */
  readonly output: string;
  /** Of a failed one. */
  readonly error?: string;
}

interface RunLog {
  /** The command line, without secrets. */
  readonly command: string;
  /** When it ended, as ISO 8601. */
  readonly ended: string;
  readonly outcome: "succeeded" | "failed" | "interrupted";
  readonly tasks: readonly TaskLog[];
}

export class RunLogWriter {
  readonly #tasks = new Map<TaskId, TaskLog>();
  readonly #outputs = new TaskOutputs(keptBytes);
  readonly #state: Pick<State, "root" | "store">;
  #outcome: RunLog["outcome"] = "failed";

  constructor(state: Pick<State, "root" | "store">) {
    this.#state = state;
  }

  onEvent(event: BuildEvent): void {
    this.#outputs.onEvent(event);
    switch (event.type) {
      case "task-fresh":
        this.#add(event.task, "fresh", 0, []);
        break;
      case "task-restored":
        if (isDigest(event.log))
          this.#outputs.replace(event.task, this.#state.store.readText(event.log) ?? "");
        this.#add(event.task, "restored", event.seconds, event.reasons);
        break;
      case "task-done":
        this.#add(event.task, "rebuilt", event.seconds, event.reasons);
        break;
      case "task-failed":
        this.#outputs.replace(event.task, event.output);
        this.#add(event.task, "failed", event.seconds, [], headline(event.error));
        break;
      case "task-skipped":
        this.#add(event.task, "skipped", 0, []);
        break;
      case "build-finished":
        this.#outcome = event.outcome;
        break;
      default:
        break;
    }
  }

  /** Writes the log, unless nothing was done. A cache that cannot be written costs the log, and nothing else. */
  write(command: string): void {
    if ([...this.#tasks.values()].every(({ verdict }) => verdict === "fresh")) return;
    let left = keptInAll;
    const tasks = [...this.#tasks].map(([id, task]) => {
      const output = this.#outputs.of(id) ?? "";
      left -= output.length;
      return { ...task, output: left >= 0 ? output : "[left out: the log is full]\n" };
    });
    const log: RunLog = { command, ended: new Date().toISOString(), outcome: this.#outcome, tasks };
    const file = fileOf(this.#state);
    try {
      writeFileSync(`${file}.new`, JSON.stringify({ version, ...log }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // The build's own errors say what is wrong with the cache.
    }
  }

  #add(
    task: TaskId,
    verdict: TaskLog["verdict"],
    seconds: number,
    reasons: readonly Reason[],
    error?: string,
  ): void {
    const facts = { task, verdict, seconds, reasons: reasons.map(describeReason), output: "" };
    this.#tasks.set(task, error === undefined ? facts : { ...facts, error });
  }
}

/** The log of the last build in which anything ran; undefined where there is none that can be read. */
export function readRunLog(state: Pick<State, "root">): RunLog | undefined {
  try {
    const log: unknown = JSON.parse(readFileSync(fileOf(state), "utf8"));
    return isRunLog(log) ? log : undefined;
  } catch {
    return undefined;
  }
}

/** Name of its file below the state's root. */
export const runLogName = "last-run.json";

function fileOf({ root }: Pick<State, "root">): string {
  return path.join(root, runLogName);
}

function isRunLog(log: unknown): log is RunLog {
  if (typeof log !== "object" || log === null) return false;
  return "version" in log && log.version === version && "tasks" in log && Array.isArray(log.tasks);
}
