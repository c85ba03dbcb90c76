/**
 * ISO 9660 images through xorriso.
 * It knows nothing of what is in them, save where the boot loader's file lies.
 */
import type { Shell } from "../host/index.ts";

export interface IsoBoot {
  /** Path of isolinux.bin in the ISO, e.g. `boot/isolinux/isolinux.bin`; it is taken from `root`. */
  readonly isolinux: string;
  /** Path of the boot catalogue that is made, e.g. `boot/isolinux/boot.cat`. */
  readonly catalog: string;
}

export interface IsoOptions {
  /** Absolute path of the directory that becomes the ISO's root. */
  readonly root: string;
  /** Absolute path of the file to write. */
  readonly out: string;
  readonly volumeId: string;
  readonly applicationId: string;
  readonly systemId: string;
  readonly publisher?: string;
  /** Seconds since 1970, for the volume and every file. */
  readonly epoch: number;
  readonly boot?: IsoBoot;
}

export interface IsoEntry {
  /** Relative to the ISO's root. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** Writes an ISO with Rock Ridge names. */
export async function writeIso(_$: Shell, _options: IsoOptions): Promise<void> {
  throw new Error("not written yet");
}

/** Every path of the ISO, in byte order. */
export async function listIso(_$: Shell, _iso: string): Promise<readonly IsoEntry[]> {
  throw new Error("not written yet");
}

/** Copies the named paths (files or directories; or all) out of the ISO, to the same paths below `dir`. */
export async function extractIso(
  _$: Shell,
  _iso: string,
  _paths: readonly string[] | "all",
  _dir: string,
): Promise<void> {
  throw new Error("not written yet");
}

/** The volume id. */
export async function readIsoLabel(_iso: string): Promise<string> {
  throw new Error("not written yet");
}
