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
  /** In the task's own directory of the cache, or relative to the workspace for an artifact. */
  readonly place: "cache" | "workspace";
  readonly path: string | ((facts: OutputFacts) => string);
  /** Its files have mode 0600 instead of 0644 or 0755, its directories 0700; so do the copies in the store. */
  readonly private: boolean;
  /** Made of holes for the most part, by `writeSparse`: it is never read again, and the store does not hold it. */
  readonly sparse: boolean;
}

interface OutputOptions {
  /** For what holds a secret: only the user who builds may read it. */
  readonly private?: boolean;
}

interface ArtifactOptions extends OutputOptions {
  /** For a disk's image: a file that is far larger than what is in it. */
  readonly sparse?: boolean;
}

type OutputPath = string | ((facts: OutputFacts) => string);

function output(
  kind: Output["kind"],
  place: Output["place"],
  path: OutputPath,
  { private: secret = false, sparse = false }: ArtifactOptions = {},
): Output {
  return { kind, place, path, private: secret, sparse };
}

export const out = {
  /** A file in the task's own directory of the cache. */
  file(name: string, options?: OutputOptions): Output {
    return output("file", "cache", name, options);
  },
  /** A directory in the task's own directory of the cache, owned whole: what a run did not write is removed. */
  directory(name: string, options?: OutputOptions): Output {
    return output("directory", "cache", name, options);
  },
  /** A directory that the user came for, owned whole; the path is relative to the workspace. */
  artifactDirectory(path: OutputPath, options?: OutputOptions): Output {
    return output("directory", "workspace", path, options);
  },
  /** A file that the user came for; the path is relative to the workspace. */
  artifact(path: OutputPath, options?: ArtifactOptions): Output {
    return output("file", "workspace", path, options);
  },
} as const;

export type Outputs = Readonly<Record<string, Output>>;

/** Absolute paths of a task's outputs, by slot. */
export type OutputPaths<O extends Outputs> = { readonly [K in keyof O]: string };
