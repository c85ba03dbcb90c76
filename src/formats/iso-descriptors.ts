/**
 * The volume descriptors of an ISO: where all reading of one begins.
 *
 * Sources: ECMA-119, 8; the Joliet specification.
 */
import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";

export const isoSectorSize = 2048;

/** A volume descriptor's sector, and its type: 0 boot record, 1 primary, 2 supplementary. */
interface VolumeDescriptor {
  readonly type: number;
  readonly bytes: Buffer;
}

const mostDescriptors = 64;

/**
 * The descriptors of an open ISO, up to the one that ends them.
 * @throws UserError `not-an-iso`
 */
export async function readDescriptors(handle: FileHandle, iso: string): Promise<readonly VolumeDescriptor[]> {
  const found: VolumeDescriptor[] = [];
  for (let index = 0; index < mostDescriptors; index++) {
    const bytes = await readAt(handle, (16 + index) * isoSectorSize, isoSectorSize);
    if (bytes.toString("latin1", 1, 6) !== "CD001") break;
    const type = bytes[0] ?? 255;
    if (type === 255) break;
    found.push({ type, bytes });
  }
  if (found.some(({ type }) => type === 1)) return found;
  throw new UserError("the file is not an ISO 9660 image", {
    code: "not-an-iso",
    where: printName(iso),
    hint: "check that the download is complete",
  });
}

/** Bytes of an open file; NULs where it ends before. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
  return bytesRead === length ? buffer : Buffer.concat([buffer.subarray(0, bytesRead)], length);
}

/** Joliet's three levels, by the escape sequence that names their characters. */
export function isJoliet(descriptor: Buffer): boolean {
  return ["%/@", "%/C", "%/E"].includes(descriptor.toString("latin1", 88, 91));
}
