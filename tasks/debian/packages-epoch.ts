/** The time of everything in the sample source: when the newest of its packages was built. */
import { open } from "node:fs/promises";
import { UserError } from "../../src/errors/index.ts";

/**
 * Seconds since 1970 of the youngest package file (absolute paths). A package says it in its first archive member's
 * header: deb(5), ar's fields of 16 bytes name and 12 bytes time after the 8 bytes magic.
 */
export async function packagesEpoch(files: readonly string[]): Promise<number> {
  const times = await Promise.all(files.map(readTime));
  return Math.max(0, ...times);
}

async function readTime(file: string): Promise<number> {
  const handle = await open(file, "r");
  try {
    const header = Buffer.alloc(36);
    await handle.read(header, 0, header.length, 0);
    const seconds = Number(header.toString("latin1", 24, 36).trim());
    if (header.toString("latin1", 0, 8) === "!<arch>\n" && Number.isSafeInteger(seconds)) return seconds;
  } finally {
    await handle.close();
  }
  throw new UserError("this is not a Debian package", {
    code: "not-a-package",
    hint: "delete the file, and build again",
    where: file,
  });
}
