/** What a task says that it makes, and where. It makes nothing. */
import type { Parameter } from "./parameter.ts";

/** What an output path may depend on. */
export interface OutputFacts {
  readonly variant: string;
  /** The value of a parameter that the task declares. */
  readonly value: <T>(parameter: Parameter<T>) => T;
}

export interface Output {
  readonly kind: "file" | "directory";
  /** In the task's own folder of the cache, or relative to the workspace for an artefact. */
  readonly place: "cache" | "workspace";
  readonly path: string | ((facts: OutputFacts) => string);
}

export const out = {
  /** A file in the task's own folder of the cache. */
  file(name: string): Output {
    return { kind: "file", place: "cache", path: name };
  },
  /** A folder in the task's own folder of the cache, owned whole: what a run did not write is removed. */
  directory(name: string): Output {
    return { kind: "directory", place: "cache", path: name };
  },
  /** A folder that the user came for, owned whole; the path is relative to the workspace. */
  artifactFolder(path: string | ((facts: OutputFacts) => string)): Output {
    return { kind: "directory", place: "workspace", path };
  },
  /** A file that the user came for; the path is relative to the workspace. */
  artifact(path: string | ((facts: OutputFacts) => string)): Output {
    return { kind: "file", place: "workspace", path };
  },
} as const;

export type Outputs = Readonly<Record<string, Output>>;

/** Absolute paths of a task's outputs, by slot. */
export type OutputPaths<O extends Outputs> = { readonly [K in keyof O]: string };
