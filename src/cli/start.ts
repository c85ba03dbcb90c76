/** What the launcher hands to the program, and how the program can be made anew while it runs. */
import type { Taskfile } from "../engine/index.ts";
import type { Manifest } from "./code-index.ts";
import type { Io } from "./io.ts";
import type { UpToDateRecord } from "./up-to-date.ts";
import type { Handover } from "./watch-command.ts";

export interface Start {
  readonly argv: readonly string[];
  /** Absolute path of the folder that holds the Taskfile. */
  readonly workspace: string;
  readonly manifest: Manifest;
  /** There is no project: the Taskfile is the program's own, and only commands that need no project may run. */
  readonly outside?: boolean;
  /** Evaluates the Taskfile. */
  readonly loadTaskfile: () => Promise<{ readonly default: Taskfile }>;
  /** Where a build without anything to do may leave word of that. */
  readonly record?: UpToDateRecord;
  /** Compiles the sources as they are now; a text says what is wrong with them. */
  readonly reload?: () => Promise<NextProgram | string>;
  /** What this program goes on with, where it follows another one. */
  readonly continued?: Handover;
}

/** The program as its sources are now. It shares nothing with the one that asked for it, save what is handed over. */
export interface NextProgram {
  readonly main: (start: Start, io?: Io) => Promise<number>;
  /** Rejects when the tasks cannot be built as they are defined. */
  readonly check: (start: Start, io: Io) => Promise<void>;
  readonly start: Start;
}
