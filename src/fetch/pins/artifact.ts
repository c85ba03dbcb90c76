/**
 * One file to be had from a source, and what upstream says about it. Plans are lists of these; nothing here
 * downloads.
 */
import type { ContentKind } from "../http/content-kind.ts";
import type { DownloadRequest } from "../http/download.ts";

export interface Artifact {
  /** File name, and the key in the lock. */
  readonly name: string;
  /** http(s) or file: URL or absolute path; credentials in it are used and never written down. */
  readonly url: string;
  readonly kind: ContentKind;
  /** 404 means that there is none. */
  readonly optional?: boolean;
  /**
   * The end of the URL's path that makes it this artifact, whatever mirror it comes from. A pin for another
   * tail is not used. Without one the whole URL must be the pinned one.
   */
  readonly tail?: string;
  /** What upstream says, checked when the file is pinned: bytes, lower-case hexadecimal. */
  readonly size?: number;
  readonly sha256?: string;
  readonly md5?: string;
  /** URL of the upstream file that `md5` was read from, where it is not `md5Url`. */
  readonly md5Source?: string;
  /** Where upstream's md5sum line stands, asked when `md5` is not known or the bytes are not the pinned ones. */
  readonly md5Url?: string;
  /** Kept in the lock. */
  readonly version?: string;
  readonly deps?: readonly string[];
  readonly repository?: string;
  readonly wantedBy?: readonly string[];
  /** Who wants it, as `file:line` or a path of names that begins with one. */
  readonly where?: string;
  /** Other things can only go on when it is there. */
  readonly urgent?: boolean;
}

/** What the transport is asked for an artifact. */
export function requestOf({ name, url, kind, optional, where, urgent }: Artifact): DownloadRequest {
  return {
    name,
    url,
    kind,
    ...(optional === undefined ? {} : { optional }),
    ...(where === undefined ? {} : { where }),
    ...(urgent === undefined ? {} : { urgent }),
  };
}
