/** Running tasks on other machines, as the engine sees it: jobs are submitted, and end. How is another room's matter. */
import type { Digest } from "../define/names.ts";

/** What a job may use, and who hears of it. */
export interface JobRequest {
  /** Processors. */
  readonly cpus: number;
  /** Bytes; the cluster's default where it is not said. */
  readonly memory?: number;
  /** Longest time that it may run; no limit where it is not said. */
  readonly seconds?: number;
  /** The task's name, for the cluster's lists of jobs. */
  readonly name: string;
  /** Cancels the job, also one that waits. */
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
  /** A message for the user. */
  readonly onNote: (message: string) => void;
}

/** How a job ended. `node` is the machine that ran it, as far as it is known. */
export type JobEnd =
  | { readonly kind: "done"; readonly node: string }
  /** The task itself failed, or cannot run on the node. */
  | { readonly kind: "failed"; readonly node: string; readonly failure: JobFailure }
  /** The node cannot have what the task reads here. */
  | { readonly kind: "declined"; readonly node: string; readonly why: string }
  /** Nobody knows what became of it: the node failed, or the job was ended by others. */
  | { readonly kind: "lost"; readonly node?: string; readonly why: string };

/** The error of a task, as a text that another machine wrote. */
export interface JobFailure {
  readonly message: string;
  readonly where?: string;
  readonly hint?: string;
}

export interface Executor {
  /** Jobs that may be in flight. */
  readonly capacity: number;
  /**
   * Runs the program `program` for the job `job`; both are contents of the remote cache. Rejects for the signal, and
   * with a `UserError` where no job can be submitted at all.
   */
  submit(program: Digest, job: Digest, request: JobRequest): Promise<JobEnd>;
}
