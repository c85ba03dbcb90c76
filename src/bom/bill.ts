/** A bill of materials: what an image is made of. */

/** A licence as far as it is known: an identifier or an expression of SPDX, else the words of who states it. */
export type Licence =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "expression"; readonly expression: string }
  | { readonly kind: "named"; readonly name: string };

export type ComponentKind = "core" | "kernel" | "extension" | "gem" | "deb" | "extra";

export interface Component {
  /** Unique in a bill: `extension/bash.tcz`. */
  readonly id: string;
  readonly kind: ComponentKind;
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly homepage?: string;
  /** Its file's path in the image, or in the ISO beside the initrd. */
  readonly file?: string;
  /** Of its file: bytes, and the digest in hex. */
  readonly size?: number;
  readonly sha256?: string;
  /** All of them apply, or each to a part: sources do not say which. Empty where none is stated. */
  readonly licences: readonly Licence[];
  /** Package URL. */
  readonly purl?: string;
  /** Where it was downloaded from. */
  readonly url?: string;
  /** Ids of components that it needs directly. */
  readonly needs: readonly string[];
  /** Ids of components that are inside of it. */
  readonly contains: readonly string[];
}

/** A file of the image that belongs to no component. Digests are in hex. */
export interface BillFile {
  /** From the image's root, as it is shown: escapes for what is not printable. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly sha1: string;
}

export interface Bill {
  /** The image's file name, size in bytes and sha256 in hex. */
  readonly image: { readonly name: string; readonly size: number; readonly sha256: string };
  /** The version that the image says it is. */
  readonly version?: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** The program that writes the bill. */
  readonly tool: { readonly name: string; readonly version: string };
  /** In byte order of their ids. */
  readonly components: readonly Component[];
  /** In byte order of their paths. */
  readonly files: readonly BillFile[];
}
