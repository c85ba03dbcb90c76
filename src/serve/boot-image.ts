/** What a machine loads from the network to boot, as the maker of images describes it. */

/** A file to serve. */
export interface BootFile {
  /** What iPXE calls it: no slash, no blank, unique in its image. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** In hex, of the file. */
  readonly sha256: string;
}

export interface BootImage {
  readonly variant: string;
  readonly kernel: BootFile;
  /** In the order in which the kernel unpacks them. */
  readonly initrds: readonly BootFile[];
  /** The kernel's arguments. */
  readonly args: readonly string[];
}
