/**
 * The last build in which anything ran, kept for `task log`: what became of each task, why, and what it printed. One file
 * of bounded size in the cache.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  type BuildEvent,
  type BuildRun,
  type BuildSpan,
  describeReason,
  isDigest,
  type Reason,
  type RunTask,
  type State,
  type TaskId,
} from "../../engine/index.ts";
import { headline } from "./failure.ts";
import { TaskOutputs } from "./task-outputs.ts";
import { Trace } from "./trace.ts";

/** Bytes that are kept of each task's output, and of all together. */
const keptBytes = 256 * 1024;
const keptInAll = 4 * 1024 ** 2;
/** Spans that are kept: those of a build with thousands of downloads say no more than its longest ones. */
const keptSpans = 4000;
const version = 2;

export interface TaskLog extends RunTask {
  readonly verdict: "fresh" | "restored" | "rebuilt" | "failed" | "skipped";
  /** What it printed; of a restored one, what its run printed. */
  readonly output: string;
  /** Of a failed one. */
  readonly error?: string;
}

interface RunLog extends BuildRun {
  readonly outcome: "succeeded" | "failed" | "interrupted";
  readonly tasks: readonly TaskLog[];
}

export class RunLogWriter {
  readonly #tasks = new Map<TaskId, TaskLog>();
  readonly #outputs = new TaskOutputs(keptBytes);
  readonly #state: Pick<State, "root" | "store">;
  readonly #trace = new Trace();
  #outcome: RunLog["outcome"] = "failed";

  constructor(state: Pick<State, "root" | "store">) {
    this.#state = state;
  }

  onEvent(event: BuildEvent): void {
    this.#outputs.onEvent(event);
    this.#trace.onEvent(event);
    switch (event.type) {
      case "task-fresh":
        this.#add(event.task, "fresh", 0, [], { savedSeconds: event.savedSeconds });
        break;
      case "task-restored":
        if (isDigest(event.log))
          this.#outputs.replace(event.task, this.#state.store.readText(event.log) ?? "");
        this.#add(event.task, "restored", event.seconds, event.reasons, { savedSeconds: event.savedSeconds });
        break;
      case "task-done":
        this.#add(event.task, "rebuilt", event.seconds, event.reasons);
        break;
      case "task-failed":
        this.#outputs.replace(event.task, event.output);
        this.#add(event.task, "failed", event.seconds, [], { error: headline(event.error) });
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
    const ended = new Date().toISOString();
    const log: RunLog = { command, ended, outcome: this.#outcome, tasks, spans: spansOf(this.#trace) };
    const file = fileOf(this.#state);
    try {
      if (existsSync(file)) renameSync(file, previousFile(this.#state));
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
    more: { readonly savedSeconds?: number; readonly error?: string } = {},
  ): void {
    const facts = { task, verdict, seconds, savedSeconds: 0, reasons: reasons.map(describeReason) };
    this.#tasks.set(task, { ...facts, output: "", ...more });
  }
}

/** The longest spans, in seconds from the first one's beginning. */
function spansOf({ spans }: Trace): readonly BuildSpan[] {
  const [first] = spans;
  const origin = first?.start ?? 0;
  const rounded = (milliseconds: number): number => Math.round(milliseconds - origin) / 1000;
  return [...spans]
    .sort((a, b) => b.end - b.start - (a.end - a.start))
    .slice(0, keptSpans)
    .sort((a, b) => a.start - b.start)
    .map(({ name, category, start, end, args }) => ({
      ...{ name, category, start: rounded(start), end: rounded(end) },
      ...(typeof args.task === "string" ? { task: args.task } : {}),
    }));
}

/** The log of the last build in which anything ran; undefined where there is none that can be read. */
export function readRunLog(state: Pick<State, "root">): RunLog | undefined {
  return readLog(fileOf(state));
}

/** The log of the build before that one. */
export function readPreviousLog(state: Pick<State, "root">): RunLog | undefined {
  return readLog(previousFile(state));
}

function readLog(file: string): RunLog | undefined {
  try {
    const log: unknown = JSON.parse(readFileSync(file, "utf8"));
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

function previousFile({ root }: Pick<State, "root">): string {
  return path.join(root, "previous-run.json");
}

function isRunLog(log: unknown): log is RunLog {
  if (typeof log !== "object" || log === null) return false;
  return "version" in log && log.version === version && "tasks" in log && Array.isArray(log.tasks);
}
