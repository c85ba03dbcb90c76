/** What is known of an image's parts from elsewhere: where they were downloaded from, and what stands beside them there. */
import type { UnpackLimits } from "../formats/index.ts";

/** A file that was downloaded; without a digest it is known only that it was used. */
export interface Download {
  readonly name: string;
  readonly url: string;
  /** In hex. */
  readonly sha256: string;
}

/** A tarball whose files lie in the image. */
export interface UnpackedExtra extends Partial<Pick<Download, "url">> {
  readonly name: string;
  readonly version?: string;
  readonly sha256: string;
  readonly size: number;
  /** Paths in the image. */
  readonly paths: ReadonlySet<string>;
}

export interface BillSources {
  /** By sha256. */
  readonly downloads: ReadonlyMap<string, Download>;
  /** Texts of `.info` files that the image does not have, by the extension's file name. */
  readonly infos: ReadonlyMap<string, string>;
  readonly extras: readonly UnpackedExtra[];
  /** Absolute path of an empty directory for what has to be unpacked; the caller removes it. */
  readonly spoolDir: string;
  readonly limits: UnpackLimits;
  /** Called with what cannot be read, and is described by its file alone. */
  readonly note: (message: string) => void;
}

/** The sources of one who has the image and nothing else. */
export function imageAlone(rest: Pick<BillSources, "spoolDir" | "limits" | "note">): BillSources {
  return { downloads: new Map(), infos: new Map(), extras: [], ...rest };
}
