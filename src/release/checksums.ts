/** SHA256SUMS: the digests of a release's files, in the format of sha256sum(1). */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { systemReason, UserError } from "../errors/index.ts";

export const checksumsFile = "SHA256SUMS";

/** The sha256 of a file (absolute path), in lower-case hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw new UserError(`the file cannot be read: ${systemReason(cause)}`, {
      code: "unreadable-file",
      where: file,
      hint: "check the name and the permissions of the file",
      cause,
    });
  }
  return hash.digest("hex");
}

/** The text of SHA256SUMS for digests by name: one line a file, names in byte order (GNU coreutils manual, "md5sum invocation"). */
export function formatChecksums(digests: ReadonlyMap<string, string>): string {
  const names = [...digests.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.map((name) => `${digests.get(name)}  ${name}\n`).join("");
}

/** The digests by name; lines in another form are left to `sha256sum -c`. */
export function parseChecksums(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, digest = "", name = ""]) => [name, digest]),
  );
}
