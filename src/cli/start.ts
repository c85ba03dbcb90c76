/** What the launcher hands to the program, and how the program is compiled again while it runs. */
import type { LoopGuard, SourceFile } from "../engine/index.ts";
import type { Machine } from "../host/index.ts";
import type { Manifest } from "./output/code-index.ts";
import type { RecordedWrite } from "./output/recorded-output.ts";
import type { Io } from "./terminal/io.ts";
import type { Style } from "./terminal/style.ts";

export interface Start {
  readonly argv: readonly string[];
  /** Absolute path of the directory that holds the Taskfile. */
  readonly workspace: string;
  readonly manifest: Manifest;
  /** There is no project: the Taskfile is the program's own, and only commands that need no project may run. */
  readonly outside?: boolean;
  /** Evaluates the Taskfile. */
  readonly loadTaskfile: () => Promise<unknown>;
  /** Where a build without anything to do may leave word of that. */
  readonly record?: UpToDateRecord;
  /** Compiles the sources as they are now. */
  readonly reload?: () => Promise<NextProgram | FaultySources>;
  /** This program for other machines, as one text; undefined when its sources changed since it was compiled. */
  readonly jobProgram?: () => Promise<string | undefined>;
  /** What this program goes on with, where it follows another one. */
  readonly continued?: Handover;
  /** Notes that were shown already, and are not shown again; later ones are added. */
  readonly noted?: Set<string>;
}

/** The program as its sources are now. It shares nothing with the one that asked for it, save what is handed over. */
export interface NextProgram {
  readonly main: (start: Start, io?: Io) => Promise<number>;
  /** What is wrong with the tasks as they are defined; undefined when they can be built. */
  readonly check: (start: Start, io: Io) => Promise<string | undefined>;
  readonly start: Start;
}

/** The launcher's side, `bin/up-to-date.js`. */
export interface UpToDateRecord {
  write(dependencies: {
    readonly environment: readonly string[];
    readonly looks: ReadonlyMap<string, boolean>;
    readonly followed: readonly string[];
    readonly said: readonly RecordedWrite[];
  }): void;
}

/** Sources that do not compile. */
interface FaultySources {
  /** The error messages. */
  readonly text: string;
  /** The files to watch, as they were compiled: a change of one of them may repair it. */
  readonly sources: readonly SourceFile[];
}

/** What a watch whose definitions changed hands to the program that continues it. */
export interface Handover {
  /** The files that changed, relative to the workspace. */
  readonly changes: readonly string[];
  /** When the first of them did, as `performance.now` counts. */
  readonly startedAt: number;
  readonly machine: Machine | undefined;
  /** What the watched command keeps, such as a server that goes on listening. */
  readonly kept: Kept;
  /** Loop detection, continued across programs. */
  readonly guard: LoopGuard;
  /** The last build in which anything happened. */
  readonly told: Told;
  /** To be called by who now listens for signals itself: the exit status when the watch was ended meanwhile. */
  readonly take: () => number | undefined;
}

/** Something that a command made once, whatever program runs it now. */
export interface Kept {
  value?: Promise<unknown>;
}

/** What became of a build, as lines to look back at. */
export interface Told {
  readonly reasonLines: (style: Style) => Iterable<string>;
  readonly outputLines: (style: Style) => Iterable<string>;
}
