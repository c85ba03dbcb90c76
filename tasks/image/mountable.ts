/**
 * Checks whether the image's kernel supports an extension's compression.
 *
 * Releases: Linux `fs/squashfs/Kconfig`, where each kind is an option of its own; all but gzip may be missing in a kernel.
 */
import type { SquashfsSuperblock } from "../../src/formats/index.ts";

const since: Readonly<Record<string, readonly [major: number, minor: number, patch: number]>> = {
  lzo: [2, 6, 36],
  xz: [2, 6, 38],
  lz4: [3, 19, 0],
  zstd: [4, 14, 0],
};

/** One sentence where the extension `name` may not be there after the boot of a kernel of this release; else undefined. */
export function mountDoubt(
  name: string,
  { compression }: Pick<SquashfsSuperblock, "compression">,
  kernelRelease: string,
): string | undefined {
  if (compression === "gzip") return undefined;
  const first = since[compression];
  const packed = `${name} is compressed with ${compression}`;
  if (first === undefined) return `${packed}, which no kernel mounts: the extension will not load`;
  const [, major = "0", minor = "0", patch = "0"] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(kernelRelease) ?? [];
  const release = [major, minor, patch].map(Number);
  const index = first.findIndex((number, at) => number !== release[at]);
  if (index !== -1 && (release[index] ?? 0) < (first[index] ?? 0)) {
    const version = first.join(".").replace(/\.0$/, "");
    return `${packed}, which Linux mounts since ${version}, but the image's kernel is ${kernelRelease}: the extension will not load`;
  }
  return `${packed}, which only kernels built with support for it mount; extensions of Tiny Core use gzip`;
}
