/** What became of each task in one cycle of a watch, and the lines that tell it. It only reads events. */
import type { BuildEvent, Cycle, Reason, TaskId } from "../../engine/index.ts";
import { printableName } from "../../errors/index.ts";
import type { Artifact } from "../output/artifact.ts";
import { linesOf, nameOf, reasonText } from "../output/plain-reporter.ts";
import { TaskOutputs } from "../output/task-outputs.ts";
import { capturedLine } from "../output/terminal-text.ts";
import { formatBytes, formatSeconds, hasColours, type Style, someOf } from "../terminal/style.ts";

/** Bytes that are kept of each task's output. */
const keptBytes = 1024 ** 2;

interface Outcome {
  readonly verdict: "fresh" | "restored" | "rebuilt" | "failed" | "skipped";
  readonly reasons: readonly Reason[];
}

export class CycleRecord {
  readonly #outcomes = new Map<TaskId, Outcome>();
  readonly #outputs = new TaskOutputs(keptBytes);

  onEvent(event: BuildEvent): void {
    this.#outputs.onEvent(event);
    switch (event.type) {
      case "task-fresh":
        this.#outcomes.set(event.task, { verdict: "fresh", reasons: [] });
        break;
      case "task-restored":
        this.#outcomes.set(event.task, { verdict: "restored", reasons: event.reasons });
        break;
      case "task-done":
        this.#outcomes.set(event.task, { verdict: "rebuilt", reasons: event.reasons });
        break;
      case "task-failed":
        this.#outcomes.set(event.task, { verdict: "failed", reasons: [] });
        break;
      case "task-skipped":
        this.#outcomes.set(event.task, { verdict: "skipped", reasons: [] });
        break;
      case "task-outdated":
        this.#outcomes.delete(event.task);
        break;
      default:
        break;
    }
  }

  /** Whether anything was done, or failed. */
  get didSomething(): boolean {
    return [...this.#outcomes.values()].some(({ verdict }) => verdict !== "fresh");
  }

  /** The one line for the cycle: what changed, what ran, what did not have to, how long it took, what came of it. */
  summaryLine(cycle: Cycle, first: boolean, artifacts: readonly Artifact[], style: Style): string {
    const mark = cycle.outcome === "succeeded" ? style.green("✓") : style.red("✗");
    const parts = [
      ...this.#named("rebuilt", "rebuilt "),
      ...this.#named("restored", "restored "),
      ...this.#named("failed", "failed: "),
      ...this.#named("skipped", "skipped "),
    ];
    const fresh = this.#ids("fresh").length;
    if (fresh > 0) parts.push(`${fresh} fresh`);
    if (parts.length === 0)
      parts.push(cycle.outcome === "succeeded" ? "nothing to do" : "nothing could be built");
    const made = artifacts.map(({ path, bytes, sha256 }) => {
      const digest = sha256 === undefined ? "" : `, sha256 ${sha256.slice(0, 12)}`;
      return `${path} (${formatBytes(bytes)}${digest})`;
    });
    const time = style.bold(formatSeconds(cycle.seconds));
    const to = made.length === 0 ? "" : ` to ${made.join(", ")}`;
    return `${mark} ${changeText(cycle.changes, first)}: ${parts.join("; ")}; ${time}${to}`;
  }

  /** Every task that was not fresh, with all its reasons. */
  *reasonLines(style: Style): IterableIterator<string> {
    for (const [id, { verdict, reasons }] of this.#outcomes) {
      if (verdict === "fresh") continue;
      yield `${style.bold(nameOf(id))}: ${verdict}`;
      for (const reason of reasons) yield `  ${reasonText(reason)}`;
    }
  }

  /** What the tasks that ran printed. */
  *outputLines(style: Style): IterableIterator<string> {
    for (const [id, text] of this.#outputs.all()) {
      yield style.dim(`--- output of ${nameOf(id)} ---`);
      for (const line of linesOf(text)) yield capturedLine(line, hasColours(style));
    }
  }

  #ids(verdict: Outcome["verdict"]): readonly TaskId[] {
    return [...this.#outcomes].flatMap(([id, outcome]) => (outcome.verdict === verdict ? [id] : []));
  }

  #named(verdict: Outcome["verdict"], lead: string): readonly string[] {
    const names = this.#ids(verdict).map(nameOf);
    return names.length === 0 ? [] : [`${lead}${someOf(names)}`];
  }
}

function changeText(changes: readonly string[], first: boolean): string {
  if (changes.length === 0) return first ? "first build" : "asked for";
  return `${someOf(changes.map(printableName))} changed`;
}
