/** What is known of the last builds and of the graph, for a command that shows it. Everything is text or a number. */

/** Something that took time in a build; seconds from its start. */
export interface BuildSpan {
  readonly name: string;
  readonly category: "task" | "process" | "download" | "remote cache";
  readonly start: number;
  readonly end: number;
  /** `name@variant`, of what a task did. */
  readonly task?: string;
}

export interface RunTask {
  /** `name@variant`. */
  readonly task: string;
  readonly verdict: string;
  readonly seconds: number;
  /** What a run would have taken, of a task that had not to run. */
  readonly savedSeconds: number;
  readonly reasons: readonly string[];
}

/** A build in which something ran. */
export interface BuildRun {
  /** The command line, without secrets. */
  readonly command: string;
  /** When it ended, as ISO 8601. */
  readonly ended: string;
  readonly outcome: string;
  readonly tasks: readonly RunTask[];
  readonly spans: readonly BuildSpan[];
}

/** A task of the graph, and what a build would do with it now. */
export interface TaskFacts {
  readonly id: string;
  /** Ids of tasks that it needs, all of which are in the graph. */
  readonly needs: readonly string[];
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly lastSeconds?: number;
  /** Names of the inputs and what they are read from. */
  readonly inputs: readonly string[];
  /** Paths, relative to the workspace. */
  readonly outputs: readonly string[];
  /** What the fingerprint of the last run covers; digests are in hex. */
  readonly parts: readonly (readonly [label: string, value: string])[];
}

export interface BuildFacts {
  readonly last?: BuildRun;
  /** The build before it. */
  readonly previous?: BuildRun;
  /** Needs before what needs them. */
  readonly graph: readonly TaskFacts[];
}
