/**
 * A build as a trace that chrome://tracing and Perfetto draw: tasks, their processes and downloads on lanes.
 * Format: "Trace Event Format" (Chromium), complete events (`ph: "X"`, times in microseconds) and metadata.
 */
import { type BuildEvent, describeReason, type RemoteTransfer, type TaskId } from "../../engine/index.ts";
import type { Output } from "../terminal/io.ts";
import { writeReport } from "./report-file.ts";

interface Span {
  readonly name: string;
  readonly category: "task" | "process" | "download" | "remote cache";
  readonly start: number;
  readonly end: number;
  /** The machine that it ran on, where that is another one. */
  readonly node?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const groupNames: Readonly<Record<Span["category"], string>> = {
  task: "tasks",
  process: "processes",
  download: "downloads",
  "remote cache": "remote cache",
};

type OpenSpan = Omit<Span, "end">;

export class Trace {
  readonly #now: () => number;
  readonly #open = new Map<string, OpenSpan>();
  readonly #spans: Span[] = [];

  /** `now` counts milliseconds from any point on. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  onEvent(event: BuildEvent): void {
    switch (event.type) {
      case "task-started":
        this.#begin(`task ${event.task}`, "task", event.task, { reasons: event.reasons.map(describeReason) });
        break;
      case "task-done":
      case "task-failed":
        this.#end(
          `task ${event.task}`,
          { outcome: event.type === "task-done" ? "done" : "failed" },
          event.type === "task-done" ? event.node : undefined,
        );
        break;
      case "task-restored":
        this.#past(event.task, event.seconds, { outcome: "restored" });
        break;
      case "process-started":
        this.#begin(`process ${event.pid}`, "process", firstWords(event.command), {
          task: event.task,
          command: event.command,
        });
        break;
      case "process-ended":
        this.#end(`process ${event.pid}`, {});
        break;
      case "task-progress":
        if (event.progress.unit === "bytes") this.#download(event.task, event.progress);
        break;
      default:
        break;
    }
  }

  /** Adds a request to the remote cache, which is over now. */
  onTransfer({ kind, name, seconds, isGood, bytes }: RemoteTransfer): void {
    const end = this.#now();
    const shown = kind === "look-up" ? name : name.slice(0, 12);
    const size = bytes === undefined ? {} : { bytes };
    this.#spans.push({
      name: `${kind} ${shown}`,
      category: "remote cache",
      start: end - seconds * 1000,
      end,
      args: { outcome: isGood ? "good" : "miss", ...size },
    });
  }

  /** What is over, in the order of its beginning. Times are in milliseconds, of the same clock. */
  get spans(): readonly Span[] {
    return [...this.#spans].sort((a, b) => a.start - b.start);
  }

  /** Writes the trace to `file` (absolute or relative to the current directory), or to `output` where that is `-`. */
  write(file: string, output: Output): void {
    for (const key of [...this.#open.keys()]) this.#end(key, { outcome: "unfinished" });
    const trace = { displayTimeUnit: "ms", traceEvents: this.#events() };
    writeReport("--trace", file, `${JSON.stringify(trace)}\n`, output);
  }

  #begin(key: string, category: Span["category"], name: string, args: Span["args"]): void {
    this.#open.set(key, { name, category, start: this.#now(), args });
  }

  #end(key: string, args: Span["args"], node?: string): void {
    const span = this.#open.get(key);
    if (span === undefined) return;
    this.#open.delete(key);
    const where = node === undefined ? {} : { node };
    this.#spans.push({ ...span, ...where, end: this.#now(), args: { ...span.args, ...args } });
  }

  #past(task: TaskId, seconds: number, args: Span["args"]): void {
    const end = this.#now();
    this.#spans.push({ name: task, category: "task", start: end - seconds * 1000, end, args });
  }

  #download(task: TaskId, progress: { item: string; done: number; total?: number }): void {
    // Planned only: its lane begins with its first bytes.
    if (progress.done === 0 && progress.total !== 0) return;
    const key = `download ${task} ${progress.item}`;
    if (!this.#open.has(key)) this.#begin(key, "download", progress.item, { task });
    if (progress.done === progress.total) this.#end(key, { bytes: progress.done });
  }

  #events(): readonly object[] {
    const origin = Math.min(...this.#spans.map((span) => span.start));
    const groups: Readonly<Record<Span["category"], number>> = {
      task: 1,
      process: 2,
      download: 3,
      "remote cache": 4,
    };
    const names = Object.entries(groups).map(([name, pid]) => ({
      ph: "M",
      name: "process_name",
      pid,
      args: { name: groupNames[name as Span["category"]] },
    }));
    // Each node of a cluster is a group of its own.
    const nodes = [...new Set(this.#spans.flatMap(({ node }) => node ?? []))];
    const pidOfNode = (node: string): number => Object.keys(groups).length + 1 + nodes.indexOf(node);
    for (const node of nodes)
      names.push({ ph: "M", name: "process_name", pid: pidOfNode(node), args: { name: `node ${node}` } });
    const lanes = new Map<string, number[]>();
    const events = this.spans.map((span) => ({
      ph: "X",
      name: span.name,
      cat: span.category,
      pid: span.node === undefined ? groups[span.category] : pidOfNode(span.node),
      tid: laneFor(span, lanes),
      ts: Math.round((span.start - origin) * 1000),
      dur: Math.max(1, Math.round((span.end - span.start) * 1000)),
      args: span.args,
    }));
    return [...names, ...events];
  }
}

/** The first lane on which nothing runs any more. */
function laneFor(span: Span, lanes: Map<string, number[]>): number {
  const group = span.node === undefined ? span.category : `node ${span.node}`;
  const ends = lanes.get(group) ?? [];
  lanes.set(group, ends);
  const free = ends.findIndex((end) => end <= span.start);
  const lane = free === -1 ? ends.length : free;
  ends[lane] = span.end;
  return lane + 1;
}

/** zx puts its shell settings before the command; the program's name says enough for a lane. */
function firstWords(command: string): string {
  return command
    .replace(/^set -euo pipefail;/, "")
    .trim()
    .split(/\s+/)
    .slice(0, 3)
    .join(" ");
}
