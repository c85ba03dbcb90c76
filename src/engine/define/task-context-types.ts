/** What a running task is given. How it is made is another module's matter. */
import type { Shell } from "../../host/index.ts";
import type { FilesInput, Inputs } from "./declared-input.ts";
import type { OutputPaths, Outputs } from "./declared-output.ts";
import type { NeedPaths, Needs } from "./declared-task.ts";
import type { Params, ParamValues } from "./parameter.ts";
import type { Share } from "./shared.ts";

/** A whole file (absolute path), or bytes, which may still be on their way. */
export type Chunk = { readonly file: string } | { readonly bytes: Uint8Array | Promise<Uint8Array> };

/** Bytes at a place of a sparse file: a stretch of a file (absolute path; from its beginning, to its end), or as they are. */
export type SparsePiece = { readonly offset: number } & (
  | { readonly file: string; readonly from?: number; readonly length?: number }
  | { readonly bytes: Uint8Array }
);

/** What was written: size in bytes, sha256 in hex. */
export interface Concatenation {
  readonly size: number;
  readonly sha256: string;
}

/** The files of an input: absolute directory, and paths relative to it in byte order. */
export interface FileSet {
  readonly root: string;
  readonly paths: readonly string[];
}

/** What a running task is given; everything else would be an undeclared input. */
export interface TaskContext<N extends Needs, I extends Inputs, P extends Params, O extends Outputs> {
  readonly needs: { readonly [K in keyof N]: NeedPaths<N[K]> };
  /** Absolute path of a `file` (undefined when optional and absent), the set of `files`. */
  readonly inputs: { readonly [K in keyof I]: I[K] extends FilesInput ? FileSet : string };
  readonly params: ParamValues<P>;
  /** Absolute paths to write to: a file's does not exist yet, a directory's does and is empty. */
  readonly outputs: OutputPaths<O>;
  readonly variant: string;
  /** Runs the declared tools; each command in its own process group, output captured. */
  readonly $: Shell;
  /** Which of the useful optional tools are not installed. */
  readonly missingTools: readonly string[];
  /** A line for the task's log, shown with `--verbose` and when the task fails. */
  readonly log: (message: string) => void;
  /** A line for the user, whatever the verbosity: warnings and facts that matter. */
  readonly note: (message: string) => void;
  /** Says how far a long piece of work has come. */
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  /** The variables of `envFiles`, and those named in `env` and `passEnv` where they are set. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Writes pieces one behind the other to `target`, an absolute path of an output or in the scratch directory, in one pass.
   * An output that is written so is neither read again nor kept twice.
   */
  readonly join: (target: string, chunks: readonly Chunk[]) => Promise<Concatenation>;
  /**
   * Writes a file of `size` bytes to `target`, an absolute path of a sparse output or in the scratch directory: the pieces at their
   * offsets, in ascending order, and holes between them and where they are all NULs. Returns the bytes that went to the disk.
   */
  readonly writeSparse: (target: string, size: number, pieces: readonly SparsePiece[]) => Promise<number>;
  /**
   * Has `make` write a file, unless that was done before for the same key (all that it depends on, beside the task's code and
   * tools), in whatever build; the path of the file, which is one of the scratch directory.
   */
  readonly memo: Memo;
  /** The sha256, in hex, of pieces one behind the other, computed beside whatever else goes on. */
  readonly digest: (chunks: readonly Chunk[]) => Promise<string>;
  /** An empty directory for intermediate files, removed afterwards. */
  readonly scratch: string;
  /** Content that outlives results and is named by its digest: downloads. */
  readonly blobs: BlobAccess;
  /** What all tasks of this build use together. */
  readonly share: Share;
}

/** What of a task's context there is before its needs are done. */
export type PrefetchContext<I extends Inputs, P extends Params> = Omit<
  TaskContext<Record<never, never>, I, P, Record<never, never>>,
  "needs" | "outputs" | "$" | "log" | "join" | "writeSparse" | "digest"
>;

export interface Progress {
  /** What is being worked on: `bash.tcz`. */
  readonly item: string;
  /** Done and in all, in `unit`; `total` is undefined while unknown. */
  readonly done: number;
  readonly total?: number;
  readonly unit: "bytes" | "items";
}

/** The content store, as far as a task may use it. */
export interface BlobAccess {
  has(sha256: string): boolean;
  /** Absolute path of a blob; read it, never write to it. */
  pathOf(sha256: string): string;
  /**
   * Copies a blob to an absolute path that does not exist, mode 0644, and checks it: one that is damaged is removed, and
   * a `UserError`.
   */
  copyOut(sha256: string, target: string): Promise<void>;
  /** Moves a file into the store; its content must have that digest. */
  adopt(path: string, sha256: string): Promise<void>;
  /** Brings a content of this size from the remote cache into the store; false where it cannot be had there. */
  retrieve(sha256: string, size: number): Promise<boolean>;
  /** Offers a content of the store to the remote cache, where this machine uploads. Returns at once. */
  offer(sha256: string, size: number): void;
}

/** Has the file for a key: made now by `make`, or at some time before. Its path. */
export type Memo = (key: readonly string[], make: (file: string) => Promise<void>) => Promise<string>;

export type AnyTaskContext = TaskContext<Needs, Inputs, Params, Outputs>;
export type AnyPrefetchContext = PrefetchContext<Inputs, Params>;
