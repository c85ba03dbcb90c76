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
  const script = { path: "rebuild_iso.sh", body: "#!/bin/sh\nISO_NAME=rz_mk_dev-image\n", mode: 0o755 };
  return gzipSync(tarBytes([script, { path: "Core-current.iso", body: iso }, ...dependencies, ...top]));
}
