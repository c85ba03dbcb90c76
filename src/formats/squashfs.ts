/**
 * squashfs files (Tiny Core's extensions) through squashfs-tools.
 * It knows nothing of what an extension means.
 */
import type { Shell } from "../host/index.ts";
import type { ModePolicy } from "./directory.ts";
import type { TreeNode } from "./tree.ts";

export interface SquashfsOptions {
  /** Seconds since 1970, for the file system and every entry. */
  readonly epoch: number;
  /** Modes and owners; without it modes are the disk's and everything is root's. */
  readonly policy?: ModePolicy;
}

export interface SquashfsEntry {
  readonly path: string;
  readonly type: TreeNode["type"] | "socket";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes, of a file. */
  readonly size: number;
  /** Of a symbolic link. */
  readonly target?: string;
}

export interface ExtractOptions {
  /** Refuse set-user-id and set-group-id files (default true). */
  readonly refuseSetId?: boolean;
}

/** Packs the directory `dir` as the squashfs file `out` (both absolute), the way Tiny Core packs extensions. */
export async function packSquashfs(
  _$: Shell,
  _dir: string,
  _out: string,
  _options: SquashfsOptions,
): Promise<void> {
  throw new Error("not written yet");
}

/** The entries of a squashfs file, in byte order; the root directory is left out. */
export async function listSquashfs(_$: Shell, _file: string): Promise<readonly SquashfsEntry[]> {
  throw new Error("not written yet");
}

/** Unpacks the named paths (or all) of `file` into `dir`, which may exist. */
export async function extractSquashfs(
  _$: Shell,
  _file: string,
  _names: readonly string[] | "all",
  _dir: string,
  _options: ExtractOptions = {},
): Promise<void> {
  throw new Error("not written yet");
}
