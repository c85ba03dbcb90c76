/** What a matrix made, combination by combination: as a table for people, and as JSON. */
import type { BuildEvent, Combination, Graph, State, TaskId } from "../../engine/index.ts";
import { printableName } from "../../errors/index.ts";
import { formatBytes, formatSeconds, type Style } from "../terminal/style.ts";
import { type Artifact, artifactsOf } from "./artifact.ts";

interface MatrixRow {
  /** The variant and options, by axis. */
  readonly choices: Readonly<Record<string, string>>;
  /** `incomplete`: a step of it failed, was skipped or was not reached. */
  readonly outcome: "succeeded" | "incomplete";
  /** How long the steps took that ran for it, in seconds; one that several images share counts for each. */
  readonly seconds: number;
  /** Where its last step ran, or came from. */
  readonly ran: string;
  readonly artifacts: readonly Artifact[];
}

/** Collects what becomes of each task. */
export class MatrixRecord {
  readonly #seconds = new Map<TaskId, number>();
  readonly #places = new Map<TaskId, string>();

  onEvent(event: BuildEvent): void {
    switch (event.type) {
      case "task-fresh":
        this.#places.set(event.task, "up to date");
        break;
      case "task-restored":
        this.#places.set(event.task, event.maker === undefined ? "local cache" : "remote cache");
        break;
      case "task-done":
        this.#places.set(event.task, event.node ?? "here");
        this.#seconds.set(event.task, event.seconds);
        break;
      default:
        break;
    }
  }

  async rows(
    graph: Graph,
    combinations: readonly Combination[],
    state: State,
  ): Promise<readonly MatrixRow[]> {
    const rows: MatrixRow[] = [];
    for (const combination of combinations) {
      const own = new Map([...graph].filter(([, bound]) => bound.combinations?.has(combination) === true));
      const targets = [...own.values()].filter(({ task }) => combination.targets.includes(task));
      const isWhole = targets.every(({ id }) => this.#places.has(id));
      const places = new Set(targets.map(({ id }) => this.#places.get(id)));
      const seconds = [...own.keys()].reduce((sum, id) => sum + (this.#seconds.get(id) ?? 0), 0);
      rows.push({
        choices: Object.fromEntries(combination.choices),
        outcome: isWhole ? "succeeded" : "incomplete",
        seconds: Number(seconds.toFixed(3)),
        ran: isWhole ? [...places].join(", ") : "",
        artifacts: isWhole ? await artifactsOf(state, combination.targets, own) : [],
      });
    }
    return rows;
  }
}

/** One line for each artifact, below a line of headings; columns are as wide as their texts. */
export function tableLines(rows: readonly MatrixRow[], style: Style): readonly string[] {
  const axes = Object.keys(rows[0]?.choices ?? {});
  const lines = rows.flatMap(({ choices, outcome, seconds, ran, artifacts }) => {
    const values = axes.map((axis) => printableName(choices[axis] ?? ""));
    const time = seconds === 0 ? "" : formatSeconds(seconds);
    if (outcome === "incomplete") return [[...values, "", time, "not made", "", ""]];
    return artifacts.map(({ bytes, sha256 = "", path }) => [
      ...values,
      formatBytes(bytes),
      time,
      ran,
      printableName(path),
      sha256,
    ]);
  });
  const headings = [...axes, "size", "time", "ran", "file", "sha256"];
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  const padded = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [style.bold(padded(headings)), ...lines.map(padded)];
}

/** A row of a matrix as an event. */
export function encodeRow(row: MatrixRow): string {
  return `${JSON.stringify({ v: 1, type: "combination", ...row })}\n`;
}
