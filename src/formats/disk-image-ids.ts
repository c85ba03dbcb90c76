/**
 * Ids in the images of virtual disks that qemu-img draws at random, replaced by ones that are made of a text: so that two conversions of
 * the same disk have the same bytes.
 *
 * Sources: VMware, "Virtual Disk Format 5.0" (the descriptor's CID); Microsoft, [MS-VHDX], 2.2.2 (headers), 2.2.3 (region table), 2.3
 * (log, which is empty where the header's LogGuid is zero), 2.6.2.6 (virtual disk id).
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

type Patch = (image: FileHandle, seed: string) => Promise<void>;

const patches: Readonly<Record<string, Patch>> = { vmdk: patchVmdk, vhdx: patchVhdx };

/** Replaces the ids of the image at `file` (absolute), whose format is vmdk or vhdx; images of other formats have none. */
export async function fixImageIds(file: string, format: string, seed: string): Promise<void> {
  const patch = patches[format];
  if (patch === undefined) return;
  const image = await open(file, "r+");
  try {
    await patch(image, seed);
  } finally {
    await image.close();
  }
}

/** 16 bytes for a use. */
function idFor(seed: string, use: string): Buffer {
  return createHash("sha256").update(`${use}\n${seed}`).digest().subarray(0, 16);
}

async function read(image: FileHandle, at: number, size: number): Promise<Buffer> {
  return (await image.read(Buffer.alloc(size), 0, size, at)).buffer;
}

/** The descriptor is embedded behind the header. */
const vmdkDescriptor = { at: 512, size: 20 * 512 } as const;

async function patchVmdk(image: FileHandle, seed: string): Promise<void> {
  const { at, size } = vmdkDescriptor;
  const text = (await read(image, at, size)).toString("latin1");
  // ffffffff stands for "no parent".
  const cid = `0${idFor(seed, "vmdk").toString("hex").slice(0, 7)}`;
  const changed = text.replace(/^CID=[0-9a-f]{8}$/m, `CID=${cid}`);
  if (changed === text && !text.includes(`CID=${cid}`)) throw new Error("the vmdk image has no descriptor");
  await image.write(changed, at, "latin1");
}

const kibibyte = 1024;
const headerSize = 4 * kibibyte;
const headersAt = [64 * kibibyte, 128 * kibibyte] as const;
const regionsAt = 192 * kibibyte;
const metadataRegion = "06a27c8b90479a4bb8fe575f050f886e";
const diskIdItem = "ab12cabee6b2234593efc309e000c746";

async function patchVhdx(image: FileHandle, seed: string): Promise<void> {
  for (const [index, at] of headersAt.entries()) {
    const header = await read(image, at, headerSize);
    if (header.toString("latin1", 0, 4) !== "head") throw new Error("the vhdx image has no header");
    if (header.subarray(48, 64).some((byte) => byte !== 0)) throw new Error("the vhdx image has a log");
    // The header with the greater number is the current one; both say the same.
    header.writeBigUInt64LE(BigInt(index + 1), 8);
    idFor(seed, "vhdx file").copy(header, 16);
    idFor(seed, "vhdx data").copy(header, 32);
    header.writeUInt32LE(0, 4);
    header.writeUInt32LE(crc32c(header), 4);
    await image.write(header, 0, headerSize, at);
    const [logLength, logOffset] = [header.readUInt32LE(68), Number(header.readBigUInt64LE(72))];
    // What was logged is done; its entries have the ids of this run.
    await image.write(Buffer.alloc(logLength), 0, logLength, logOffset);
  }
  const metadata = await findEntry(image, regionsAt, metadataRegion, 16);
  const table = Number(metadata.readBigUInt64LE(16));
  const item = await findEntry(image, table, diskIdItem, 32);
  const id = idFor(seed, "vhdx disk");
  await image.write(id, 0, id.length, table + item.readUInt32LE(16));
}

/** The entry of 32 bytes with a GUID (as it is stored, in hex), in a table whose entries begin `skip` bytes behind its beginning. */
async function findEntry(image: FileHandle, at: number, guid: string, skip: number): Promise<Buffer> {
  const table = await read(image, at, 64 * kibibyte);
  for (let offset = skip; offset + 32 <= table.length; offset += 32)
    if (table.toString("hex", offset, offset + 16) === guid) return table.subarray(offset, offset + 32);
  throw new Error("the vhdx image lacks an entry of its tables");
}

/** CRC-32C, with the reflected polynomial of RFC 9260, appendix A. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
