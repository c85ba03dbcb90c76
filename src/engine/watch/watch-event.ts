/** What a watch is asked for and what it tells. */

import type { Graph } from "../bind/bound-task.ts";
import type { BuildResult } from "../run/build.ts";
import type { BuildRequest } from "../run/build-request.ts";
import type { BuildEvent } from "../run/event.ts";
import type { Loop, LoopGuard } from "./loop-guard.ts";
import type { SourceFile } from "./source-files.ts";

/** What one build is asked for; parameters are computed each time. */
export type CycleRequest = Omit<BuildRequest, "signal" | "onEvent" | "watcher">;

export type WatchEvent =
  /** From here on every change is seen. */
  | { readonly type: "watch-ready"; readonly directories: number }
  /** A build begins; `changes` are paths as users know them, empty for one that was asked for. */
  | { readonly type: "cycle-started"; readonly changes: readonly string[] }
  | Cycle
  /** Something was touched and nothing is different; paths as users know them. */
  | { readonly type: "unchanged"; readonly paths: readonly string[] }
  | { readonly type: "loop"; readonly loop: Loop };

/** One build of a watch, at its end. */
export interface Cycle {
  readonly type: "cycle-finished";
  readonly changes: readonly string[];
  readonly outcome: BuildResult["outcome"] | "loop";
  /** What was wrong before any task ran. */
  readonly error?: unknown;
  readonly graph?: Graph;
  /** From the last change that mattered to now; of a build that was asked for, from its beginning. */
  readonly seconds: number;
}

export interface WatchOptions {
  /** Asked before each build. */
  readonly request: (force: BuildRequest["force"] | undefined) => CycleRequest;
  /** The files that define the tasks, as they were when they were compiled. */
  readonly sources: readonly SourceFile[];
  /** The counts of the previous program's watch, which this one continues. */
  readonly guard?: LoopGuard;
  readonly signal: AbortSignal;
  readonly onBuildEvent: (event: BuildEvent) => void;
  readonly onEvent: (event: WatchEvent) => void | Promise<void>;
}

/** Why a watch no longer waits: it was ended, or the definitions changed (in these files, relative to the workspace). */
export type WatchEnd =
  | { readonly kind: "stopped" }
  | { readonly kind: "sources"; readonly changes: readonly string[]; readonly startedAt: number };
