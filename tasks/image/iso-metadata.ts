/** What an image says of itself: `iso-metadata.yaml` in the ISO's root, `tmp/mk-version.yaml` in the image. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

interface MetadataSources {
  readonly version: string;
  /** Paths from the ISO's root, and digests in hex. */
  readonly kernel: string;
  readonly kernelSha256: string;
  readonly initrd: string;
  readonly initrdSha256: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/**
 * The text of `iso-metadata.yaml`, with the keys and types that a Razor server reads (Razor 0.x,
 * `project_razor/image_service/microkernel.rb`). The server joins the paths to the directory that it unpacked the ISO in, and
 * calls `to_i` on the time, so that must be a YAML timestamp: a text that begins with the year would be the year.
 */
export function isoMetadata(sources: MetadataSources): string {
  const time = new Date(sources.epoch * 1000)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "");
  return [
    "---",
    `iso_version: ${quote(sources.version)}`,
    `kernel: ${sources.kernel}`,
    `initrd: ${sources.initrd}`,
    "hash_description:",
    "  type: Digest::SHA2",
    "  bitlen: 256",
    `kernel_hash: ${quote(sources.kernelSha256)}`,
    `initrd_hash: ${quote(sources.initrdSha256)}`,
    `iso_build_time: ${time}.000000000 Z`,
    "",
  ].join("\n");
}

/** The text of `tmp/mk-version.yaml`. */
export function versionFile(version: string): string {
  return `---\nmk_version: ${quote(version)}\n`;
}

/** ISO 9660 allows 32 characters (ECMA-119, 8.4.7). */
const volumeIdLength = 32;

/** The ISO's volume id, cut to the length that it may have; `note` says that it was. */
export function volumeId(version: string): { readonly id: string; readonly note?: string } {
  const whole = `Razor MK ${version}`;
  const id = whole.slice(0, volumeIdLength);
  if (id === whole) return { id };
  return {
    id,
    note: `the ISO's volume id is truncated to ${volumeIdLength} characters: "${id}"; the image has the full version`,
  };
}

/** A version such as 1.10 must stay a text, and a digest of digits only too. */
function quote(text: string): string {
  return `"${text}"`;
}

/** sha256 of a file (absolute path), in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
