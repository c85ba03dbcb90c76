/**
 * The partition tables at the beginning of a disk's image, MBR and GPT; each fact as a name and a text, to be shown or
 * compared.
 *
 * Sources: the UEFI specification, 5.
 */
import { createHash } from "node:crypto";

const gptSignature = "EFI PART";

/**
 * Facts by name, such as `MBR code` and `GPT partition 1: type`, of a disk's first bytes (an ISO leaves 32 KiB to the code that starts from a
 * disk); none where all are NULs.
 */
export function readPartitionTables(area: Buffer): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (area.every((byte) => byte === 0)) return fields;
  fields.set("MBR code", `sha256 ${createHash("sha256").update(area.subarray(0, 432)).digest("hex")}`);
  fields.set("MBR disk id", area.readUInt32LE(440).toString(16).padStart(8, "0"));
  for (let index = 0; index < 4; index++) {
    const entry = area.subarray(446 + 16 * index, 462 + 16 * index);
    if (entry.every((byte) => byte === 0)) continue;
    const name = `MBR partition ${index + 1}`;
    fields.set(`${name}: type`, `0x${(entry[4] ?? 0).toString(16).padStart(2, "0")}`);
    fields.set(`${name}: active`, entry[0] === 0x80 ? "yes" : "no");
    fields.set(`${name}: sectors`, `${entry.readUInt32LE(12)}`);
  }
  const header = area.subarray(512, 1024);
  if (header.toString("latin1", 0, 8) !== gptSignature) return fields;
  fields.set("GPT disk id", guid(header.subarray(56, 72)));
  const [first, count, size] = [header.readUInt32LE(72), header.readUInt32LE(80), header.readUInt32LE(84)];
  for (let index = 0; index < count; index++) {
    const entry = area.subarray(first * 512 + index * size, first * 512 + (index + 1) * size);
    if (entry.length < 128) break;
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const name = `GPT partition ${index + 1}`;
    fields.set(`${name}: type`, guid(entry.subarray(0, 16)));
    fields.set(`${name}: id`, guid(entry.subarray(16, 32)));
    fields.set(`${name}: name`, entry.toString("utf16le", 56, 128).replace(/\0.*$/, ""));
    fields.set(`${name}: sectors`, `${entry.readBigUInt64LE(40) - entry.readBigUInt64LE(32) + 1n}`);
  }
  return fields;
}

/** The first three parts are stored with their lowest byte first. */
function guid(bytes: Buffer): string {
  const hex = (...order: readonly number[]) =>
    order.map((at) => (bytes[at] ?? 0).toString(16).padStart(2, "0")).join("");
  return [hex(3, 2, 1, 0), hex(5, 4), hex(7, 6), hex(8, 9), hex(10, 11, 12, 13, 14, 15)].join("-");
}
