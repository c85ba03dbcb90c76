/** Bundles with the layout of the old scripts, of members that a test chooses. */
import { gzipSync } from "node:zlib";
import { type TarMember, tarBytes } from "./tar-builder.ts";

export interface BundleParts {
  /** The bytes of the Core ISO. */
  readonly iso: Buffer;
  /** Members of tarballs in `dependencies/`, by name without `.tar.gz`; the overlay's beside those that every bundle has. */
  readonly tarballs?: Readonly<Record<string, readonly TarMember[]>>;
  /** Members at the bundle's top beside those that every bundle has. */
  readonly top?: readonly TarMember[];
}

/** The bytes of a bundle. */
export function bundleBytes({ iso, tarballs = {}, top = [] }: BundleParts): Buffer {
  const all = { "razor-microkernel-overlay": [], ...tarballs };
  const dependencies = Object.entries(all).map(([name, members]) => ({
    path: `dependencies/${name}.tar.gz`,
    body: gzipSync(tarBytes(members)),
  }));
  // As in bundles of ours, all tarballs are unpacked.
  const script = { path: "bundle-version", body: "version=0.9.3\nvariant=dev\n" };
  return gzipSync(tarBytes([script, { path: "Core-current.iso", body: iso }, ...dependencies, ...top]));
}
