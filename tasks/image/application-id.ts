/** The application id in an ISO's primary volume descriptor as it is meant: xorriso turns it to capitals there. */
import { open } from "node:fs/promises";
import { UserError } from "../../src/errors/index.ts";

/** ECMA-119 6.2.1, 8.4.1 and 8.4.20: the descriptor's place, its identifier, and the field in it. */
const descriptor = { offset: 16 * 2048, identifier: "\x01CD001" } as const;
const field = { offset: 574, size: 128 } as const;

/**
 * Writes `text` (ASCII, 128 characters at most) into the ISO at `iso` (absolute), in place. Throws a `UserError` when the
 * file has no volume descriptor.
 */
export async function writeApplicationId(iso: string, text: string): Promise<void> {
  const handle = await open(iso, "r+");
  try {
    const head = Buffer.alloc(descriptor.identifier.length);
    await handle.read(head, 0, head.length, descriptor.offset);
    if (head.toString("latin1") !== descriptor.identifier) {
      throw new UserError("this is not an ISO: it has no primary volume descriptor", {
        code: "not-an-iso",
        hint: "check xorriso with `task doctor`",
        where: iso,
      });
    }
    const padded = Buffer.alloc(field.size, " ");
    padded.write(text, "latin1");
    await handle.write(padded, 0, padded.length, descriptor.offset + field.offset);
  } finally {
    await handle.close();
  }
}
