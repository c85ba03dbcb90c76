/** The tasks of one build: variant, values and places of outputs chosen. */
import type { Task } from "../define/declared-task.ts";
import type { AbsolutePath, TaskId } from "../define/names.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import type { SourceLocation } from "../define/source-location.ts";

export interface BoundOutput {
  readonly slot: string;
  readonly kind: "file" | "directory";
  readonly place: "cache" | "workspace";
  /** Its files are for their owner only. */
  readonly private: boolean;
  readonly sparse: boolean;
  readonly path: AbsolutePath;
  /** Where it is outside of a matrix: what the fingerprint covers, so that results are found whichever way they were made. */
  readonly usualPath: AbsolutePath;
}

/** One value of an axis of a matrix, such as `layout` and `single`. */
export type Choice = readonly [axis: string, value: string];

/** One of several images that are built together: the targets for a variant and values. */
export interface Combination {
  readonly targets: readonly Task[];
  readonly variant: string;
  readonly values: ParameterValues;
  /** What tells it from the others, in the order of the axes; the variant is one of them where it varies. */
  readonly choices: readonly Choice[];
}

/** A task in one build: variant, values and output places are known. */
export interface BoundTask {
  readonly id: TaskId;
  readonly task: Task;
  /** Undefined where all variants share the result. */
  readonly variant: string | undefined;
  /** The variant that was asked for, also of a task that all variants share. */
  readonly requestedVariant: string;
  /** By the name that the task gives it; a conditional need that does not apply is undefined. */
  readonly needs: ReadonlyMap<string, TaskId | undefined>;
  readonly outputs: readonly BoundOutput[];
  /** Values of the task's own parameters, by the name the task gives them. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Values of all parameters that the task uses, by the parameter's own name. */
  readonly named: ReadonlyMap<string, unknown>;
  /** Those that it is built for, in a matrix. */
  readonly combinations?: ReadonlySet<Combination>;
}

/** The tasks of one build, needs before what needs them. */
export type Graph = ReadonlyMap<TaskId, BoundTask>;

export interface Binding {
  readonly workspace: AbsolutePath;
  /** Where outputs in the cache are placed. */
  readonly outputRoot: AbsolutePath;
  readonly variant: string;
  readonly values: ParameterValues;
  /** Absolute paths of the files that define the tasks. */
  readonly sources: readonly string[];
  /** A location as `file:line`, for messages. */
  readonly locate: (location: SourceLocation | undefined) => string;
}

/** The outputs that a need is about; undefined where all are. */
export function neededSlots(bound: BoundTask, name: string): readonly string[] | undefined {
  const need = bound.task.needs[name];
  return need?.kind === "partial" ? need.slots : undefined;
}
