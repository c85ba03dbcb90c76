/** What an image says of itself: `iso-metadata.yaml` in the ISO's root, `tmp/mk-version.yaml` in the image. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";

export interface MetadataSources {
  readonly version: string;
  /** Absolute path of the kernel in the ISO's boot folder. */
  readonly kernel: string;
  readonly initrdName: string;
  /** Known from writing it. */
  readonly initrdSha256: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** The text of `iso-metadata.yaml`, with the keys that Razor reads. */
export async function isoMetadata(sources: MetadataSources): Promise<string> {
  const time = new Date(sources.epoch * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return [
    "---",
    `iso_version: ${quote(sources.version)}`,
    `kernel: ${path.basename(sources.kernel)}`,
    `initrd: ${sources.initrdName}`,
    "hash_description:",
    "  type: Digest::SHA2",
    "  bitlen: 256",
    `kernel_hash: ${quote(await sha256Of(sources.kernel))}`,
    `initrd_hash: ${quote(sources.initrdSha256)}`,
    `iso_build_time: ${quote(time)}`,
    "",
  ].join("\n");
}

/** The text of `tmp/mk-version.yaml`. */
export function versionFile(version: string): string {
  return `---\nmk_version: ${quote(version)}\n`;
}

/** ISO 9660 allows 32 characters (ECMA-119, 8.4.7). */
export function volumeId(version: string): string {
  return `Razor MK ${version}`.slice(0, 32);
}

/** A version such as 1.10 must stay a text, and a digest of digits only too. */
function quote(text: string): string {
  return `"${text}"`;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
