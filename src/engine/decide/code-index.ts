/** What the program knows of the code that tasks are written in. */
import type { AbsolutePath, Digest } from "../define/names.ts";
import type { SourceLocation } from "../define/source-location.ts";

export interface CodeIndex {
  /** Digest of the module at a location and of every local module that it imports. */
  digestOf(locations: readonly SourceLocation[]): Digest;
  /** Those modules, as paths relative to the workspace. */
  modulesOf(locations: readonly SourceLocation[]): readonly string[];
  /** Those modules as absolute paths, each with the digest of the bytes that were compiled. */
  sourcesOf(locations: readonly SourceLocation[]): readonly (readonly [AbsolutePath, Digest])[];
  /** Absolute paths of all files that the program was made of. */
  readonly sources: readonly string[];
  /** Absolute path of the directory that the running program is loaded from, some of it late. */
  readonly program?: string;
  /** A location as `file:line` of the source. */
  locate(location: SourceLocation | undefined): string;
}
