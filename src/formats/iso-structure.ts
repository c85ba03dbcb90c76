/**
 * What an ISO says of itself beside its files: volume descriptors, boot records, the partition tables of a hybrid one;
 * each as a name and a text, to be shown or compared.
 *
 * Sources: ECMA-119, 8; El Torito 1.0, 2; the UEFI specification, 13.3.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { isJoliet, isoSectorSize, readAt, readDescriptors } from "./iso-descriptors.ts";
import { encodeName } from "./names.ts";
import { readPartitionTables } from "./partition-tables.ts";

/** The text fields of a primary or supplementary descriptor: name, offset, length. ECMA-119, 8.4 and 8.5. */
const textFields: readonly (readonly [string, number, number])[] = [
  ["system id", 8, 32],
  ["volume id", 40, 32],
  ["volume set id", 190, 128],
  ["publisher id", 318, 128],
  ["preparer id", 446, 128],
  ["application id", 574, 128],
  ["copyright file", 702, 37],
  ["abstract file", 739, 37],
  ["bibliographic file", 776, 37],
];

const timeFields: readonly (readonly [string, number])[] = [
  ["creation time", 813],
  ["modification time", 830],
  ["expiration time", 847],
  ["effective time", 864],
];

/**
 * Everything of the ISO at `iso` (absolute), by name: `volume id`, `joliet volume: volume id`, `boot image 2: firmware`,
 * `MBR partition 1: type`. Places of files are left out: they follow from the files' sizes.
 * @throws UserError `not-an-iso`
 */
export async function readIsoStructure(iso: string): Promise<ReadonlyMap<string, string>> {
  const handle = await open(encodeName(iso), "r");
  try {
    const fields = new Map<string, string>();
    const descriptors = await readDescriptors(handle, iso);
    for (const { type, bytes } of descriptors) {
      if (type === 1) addVolume(fields, "", bytes);
      else if (type === 2) addVolume(fields, isJoliet(bytes) ? "joliet volume: " : "second volume: ", bytes);
      else if (type === 0) await addBootRecord(fields, handle, bytes);
      else fields.set(`descriptor of type ${type}`, digestOf(bytes));
    }
    const area = await readAt(handle, 0, 16 * isoSectorSize);
    return new Map([...fields, ...readPartitionTables(area)]);
  } finally {
    await handle.close();
  }
}

function addVolume(fields: Map<string, string>, prefix: string, bytes: Buffer): void {
  const text = (offset: number, length: number): string => {
    const raw = bytes.subarray(offset, offset + length);
    const shown = isJoliet(bytes)
      ? Buffer.from(raw.subarray(0, length & ~1))
          .swap16()
          .toString("utf16le")
      : raw.toString("latin1");
    return shown.replace(/[\0 ]+$/, "");
  };
  for (const [name, offset, length] of textFields) {
    const value = text(offset, length);
    if (value !== "") fields.set(`${prefix}${name}`, value);
  }
  for (const [name, offset] of timeFields) fields.set(`${prefix}${name}`, shownTime(bytes, offset));
  fields.set(`${prefix}block size`, `${bytes.readUInt16LE(128)}`);
  fields.set(`${prefix}blocks`, `${bytes.readUInt32LE(80)}`);
}

/** 16 digits and the time zone in quarters of an hour; all zero where there is none. ECMA-119, 8.4.26.1. */
function shownTime(bytes: Buffer, offset: number): string {
  const digits = bytes.toString("latin1", offset, offset + 16).replace(/\0/g, "0");
  if (/^0*$/.test(digits)) return "none";
  const zone = bytes.readInt8(offset + 16);
  return `${digits}${zone === 0 ? "" : ` zone ${zone / 4} h`}`;
}

const platforms = new Map([
  [0, "BIOS"],
  [1, "PowerPC"],
  [2, "Mac"],
  [0xef, "UEFI"],
]);

const emulations = ["none", "1.2 MB floppy", "1.44 MB floppy", "2.88 MB floppy", "hard disk"];

async function addBootRecord(fields: Map<string, string>, handle: FileHandle, bytes: Buffer): Promise<void> {
  const system = bytes.toString("latin1", 7, 39).replace(/\0+$/, "");
  if (system !== "EL TORITO SPECIFICATION") {
    fields.set(`boot record ${JSON.stringify(system)}`, digestOf(bytes));
    return;
  }
  const catalogue = await readAt(handle, bytes.readUInt32LE(71) * isoSectorSize, isoSectorSize);
  let number = 1;
  const add = (platform: number, entry: Buffer): void => {
    const name = `boot image ${number++}`;
    fields.set(`${name}: firmware`, platforms.get(platform) ?? `platform ${platform}`);
    fields.set(`${name}: bootable`, entry[0] === 0x88 ? "yes" : "no");
    fields.set(`${name}: emulation`, emulations[(entry[1] ?? 0) & 0x0f] ?? `${entry[1]}`);
    fields.set(`${name}: load segment`, `0x${entry.readUInt16LE(2).toString(16)}`);
    fields.set(`${name}: sectors to load`, `${entry.readUInt16LE(6)}`);
  };
  add(catalogue[1] ?? 0, catalogue.subarray(32, 64));
  // Section headers, each with its entries: 90 more follow, 91 the last.
  for (let at = 64; at + 64 <= catalogue.length; ) {
    const [mark, platform = 0] = catalogue.subarray(at, at + 2);
    if (mark !== 0x90 && mark !== 0x91) break;
    const count = catalogue.readUInt16LE(at + 2);
    at += 32;
    for (let index = 0; index < count && at + 32 <= catalogue.length; index++, at += 32) {
      add(platform, catalogue.subarray(at, at + 32));
    }
    if (mark === 0x91) break;
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256 ${createHash("sha256").update(bytes).digest("hex")}`;
}
