/** Names of a document that follow from its content, so that the same image gives the same bytes. */
import { createHash } from "node:crypto";
import type { Bill } from "./bill.ts";

/** A UUID of the whole content: RFC 9562, version 8 (bits of one's own), variant 10. */
export function contentUuid(bill: Bill): string {
  const bytes = createHash("sha256").update(JSON.stringify(bill)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Components that no other one needs or contains: what the image itself asks for. */
export function topComponents({ components }: Bill): readonly string[] {
  const below = new Set(components.flatMap(({ needs, contains }) => [...needs, ...contains]));
  return components.map(({ id }) => id).filter((id) => !below.has(id));
}
