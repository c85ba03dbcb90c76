/** A build as one JSON document, for CI: what ran and why, what was saved, what was made. */
import {
  type BuildEvent,
  type BuildOutcome,
  describeReason,
  type Reason,
  type RemoteTraffic,
  type TaskId,
} from "../../engine/index.ts";
import type { Output } from "../terminal/io.ts";
import type { Artifact } from "./artifact.ts";
import { writeReport } from "./report-file.ts";

interface TaskRecord {
  verdict: "fresh" | "restored" | "ran" | "failed" | "skipped";
  seconds: number;
  savedSeconds: number;
  reasons: readonly string[];
}

export class BuildSummary {
  readonly #tasks = new Map<TaskId, TaskRecord>();
  #outcome: BuildOutcome = "failed";
  #seconds = 0;

  onEvent(event: BuildEvent): void {
    switch (event.type) {
      case "task-fresh":
        this.#record(event.task, "fresh", 0, event.savedSeconds);
        break;
      case "task-restored":
        this.#record(event.task, "restored", event.seconds, event.savedSeconds, event.reasons);
        break;
      case "task-done":
        this.#record(event.task, "ran", event.seconds, 0, event.reasons);
        break;
      case "task-failed":
        this.#record(event.task, "failed", event.seconds, 0);
        break;
      case "task-skipped":
        this.#record(event.task, "skipped", 0, 0);
        break;
      case "build-finished":
        this.#outcome = event.outcome;
        this.#seconds = event.seconds;
        break;
      default:
        break;
    }
  }

  #record(
    task: TaskId,
    verdict: TaskRecord["verdict"],
    seconds: number,
    savedSeconds: number,
    reasons: readonly Reason[] = [],
  ): void {
    this.#tasks.set(task, { verdict, seconds, savedSeconds, reasons: reasons.map(describeReason) });
  }

  /** Writes the document to `file` (absolute or relative to the current directory), or to `output` where that is `-`. */
  write(
    file: string,
    made: { readonly artifacts: readonly Artifact[]; readonly traffic: RemoteTraffic | undefined },
    output: Output,
  ): void {
    const summary = {
      v: 1,
      outcome: this.#outcome,
      seconds: this.#seconds,
      tasks: Object.fromEntries(this.#tasks),
      artifacts: made.artifacts,
      ...(made.traffic === undefined ? {} : { remoteCache: made.traffic }),
    };
    writeReport("--summary", file, `${JSON.stringify(summary, undefined, 2)}\n`, output);
  }
}
