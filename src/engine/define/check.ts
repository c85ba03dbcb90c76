/**
 * Checks of the machine and its surroundings that only the project knows how to make. Nothing of when they are made.
 */
import type { Parameter } from "./parameter.ts";

export interface Finding {
  /** `advice` does without, `missing` has to be fixed before a build. */
  readonly status: "good" | "advice" | "missing";
  /** What was seen, without a full stop. */
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface CheckContext {
  readonly value: <T>(parameter: Parameter<T>) => Promise<T>;
  /** Absolute path of the workspace. */
  readonly workspace: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the cache has a content, by its sha256 in hex. */
  readonly isStored: (sha256: string) => boolean;
  /** Absolute path of a whole file in the cache, by its sha256 in hex; undefined where there is none. */
  readonly storedFile: (sha256: string) => string | undefined;
  readonly signal: AbortSignal;
}

/** One line of the report; what `run` throws is reported as missing. */
export interface Check {
  readonly name: string;
  /** It concerns builds in which a task has this parameter; without it, every build. */
  readonly concerns?: Pick<Parameter<unknown>, "name">;
  readonly run: (context: CheckContext) => Promise<Finding>;
}
