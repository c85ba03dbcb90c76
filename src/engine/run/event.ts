/**
 * What happens during a build, as data. Reporters, the JSON stream and the summary all read these and nothing else.
 */

import type { Reason } from "../decide/reason.ts";
import type { TaskId } from "../define/names.ts";
import type { Progress } from "../define/task-context-types.ts";

export type BuildEvent =
  | { readonly type: "build-started"; readonly tasks: readonly TaskId[]; readonly targets: readonly TaskId[] }
  | { readonly type: "lock-wait"; readonly pid: number; readonly host: string; readonly command: string }
  | {
      readonly type: "task-started";
      readonly task: TaskId;
      readonly reasons: readonly Reason[];
      /** Its commands have the terminal until it ends. */
      readonly interactive?: true;
      /** How long its last run took; undefined where there was none. */
      readonly expectedSeconds?: number;
    }
  | { readonly type: "task-progress"; readonly task: TaskId; readonly progress: Progress }
  | { readonly type: "task-output"; readonly task: TaskId; readonly text: string }
  | {
      readonly type: "process-started";
      readonly task: TaskId;
      readonly pid: number;
      readonly command: string;
    }
  | { readonly type: "process-ended"; readonly task: TaskId; readonly pid: number }
  | { readonly type: "note"; readonly task?: TaskId; readonly message: string }
  | {
      readonly type: "task-fresh";
      readonly task: TaskId;
      readonly savedSeconds: number;
      readonly log?: string;
    }
  | {
      readonly type: "task-restored";
      readonly task: TaskId;
      readonly reasons: readonly Reason[];
      readonly seconds: number;
      readonly savedSeconds: number;
      /** Output of the run that is restored. */
      readonly log?: string;
      /** Who made the result, in that machine's own words, where it came from the remote cache. */
      readonly maker?: string;
    }
  | {
      readonly type: "task-done";
      readonly task: TaskId;
      readonly reasons: readonly Reason[];
      readonly seconds: number;
      /** The machine that ran it, where that is another one. */
      readonly node?: string;
    }
  | {
      readonly type: "task-failed";
      readonly task: TaskId;
      readonly error: unknown;
      readonly output: string;
      readonly seconds: number;
    }
  /** Its inputs changed while it ran: it was ended, and is done again. */
  | { readonly type: "task-outdated"; readonly task: TaskId }
  | { readonly type: "task-skipped"; readonly task: TaskId; readonly because: TaskId }
  | { readonly type: "build-finished"; readonly outcome: BuildOutcome; readonly seconds: number };

export type BuildOutcome = "succeeded" | "failed" | "interrupted";

export type EventSink = (event: BuildEvent) => void;
