/** What is built, and how: all that a front end says to a build. */

import type { Combination } from "../bind/bound-task.ts";
import type { ToolHint } from "../bind/tool.ts";
import type { CodeIndex } from "../decide/code-index.ts";
import type { Task } from "../define/declared-task.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import type { Taskfile } from "../define/taskfile.ts";
import type { RemoteCache } from "../state/remote-cache.ts";
import type { State } from "../state/state.ts";
import type { EventSink } from "./event.ts";
import type { Executor } from "./executor.ts";
import type { BuildWatcher } from "./live-build.ts";

export interface Workspace {
  readonly taskfile: Taskfile;
  readonly state: State;
  readonly code: CodeIndex;
  readonly toolHint: ToolHint;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface BuildRequest {
  readonly targets: readonly Task[];
  readonly variant: string;
  readonly values: ParameterValues;
  /** Several images at once, instead of that of `variant` and `values`; `targets` are those of all of them. */
  readonly matrix?: readonly Combination[];
  /** Names of tasks to run although they are fresh; `all` for every one. */
  readonly force: ReadonlySet<string> | "all";
  readonly keepGoing: boolean;
  /** How many tasks run at once; default: one for each core. */
  readonly jobs?: number;
  /** Trace the tasks' commands for undeclared access; `strict` makes it a failure. Default: off. */
  readonly audit?: "off" | "report" | "strict";
  /** The command line, shown by builds that wait for this one. */
  readonly command: string;
  /** Ends the build, and processes with TERM; what is left after two seconds is killed. */
  readonly signal: AbortSignal;
  /** After `signal`: kills at once what is left. */
  readonly hurry?: AbortSignal;
  readonly onEvent: EventSink;
  /** Results that other machines share. */
  readonly remote?: RemoteCache;
  /** Other machines that run tasks; they and this one exchange contents through `remote`. */
  readonly execution?: {
    readonly executor: Executor;
    /** The compiled program for other machines. */
    readonly program: () => Promise<Uint8Array>;
  };
  /** Watches for changes while the build runs. */
  readonly watcher?: BuildWatcher;
}
