/** One part of an image that brings files of its own: an archive of the initrd, an extension, a tarball, the ISO itself. */
import type { FileTree } from "../formats/index.ts";

export interface Layer {
  /** `layer 3`, `bash.tcz`, `iso`: unique in an image, as users name it. */
  readonly name: string;
  readonly kind: "archive" | "extension" | "tarball" | "iso" | "partition";
  /** Whether the booted machine sees it: an extension that is not loaded at boot is none of its files. */
  readonly isSeen: boolean;
  /** Of an extension: its file. */
  readonly file?: string;
  readonly tree: FileTree;
}
