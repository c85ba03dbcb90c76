/** Unpacks an xz or zstd member of an initrd, with the host's program. */
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createShell, ProcessGroups } from "../host/index.ts";
import { streamContent } from "./content.ts";
import type { FileWindow } from "./cpio-reader.ts";
import { createLimit, mostBytes, type UnpackLimits } from "./limits.ts";
import { findMemberEnd, type PackedKind } from "./member-end.ts";
import { encodeName, printName } from "./names.ts";
import { withTool } from "./tool-failure.ts";

interface PackedMember {
  readonly offset: number;
  /** The file's. */
  readonly size: number;
  readonly kind: PackedKind;
  /** Bytes that earlier members gave, for the limit on all of them. */
  readonly before: number;
}

/**
 * Unpacks the member at `offset` of `file` to the file `spool` (absolute; replaced). Resolves to the offset after the member, and
 * the number of bytes unpacked.
 * @throws UserError `bad-member`, `bomb`, `tool-failed`, `tool-missing`
 */
export async function unpackMember(
  file: FileWindow,
  { offset, size, kind, before }: PackedMember,
  spool: string,
  limits: UnpackLimits,
): Promise<{ readonly end: number; readonly size: number }> {
  const end = await findMemberEnd(file, offset, size, kind);
  const where = `${printName(file.name)}: ${kind} member at offset ${offset}`;
  const packed = `${spool}.packed`;
  const $ = await createShell({ cwd: path.dirname(spool), groups: new ProcessGroups() });
  const content = { kind: "file", path: file.path, offset, size: end - offset } as const;
  await pipeline(
    Readable.from(streamContent(content)),
    createWriteStream(encodeName(packed), { mode: 0o600 }),
  );
  const check = createLimit(limits, where, before);
  const most = mostBytes(end - offset, limits);
  const taken = Number.isFinite(most) ? most + 1 : Number.MAX_SAFE_INTEGER;
  const unpacked = async () => (await stat(encodeName(spool)).catch(() => ({ size: 0 }))).size;
  try {
    const hint = "check that the download is complete";
    await withTool({ tool: kind, what: "unpack the initrd", where, hint }, () => {
      return $`${kind} -dc < ${packed} | head -c ${taken} > ${spool}`;
    });
  } catch (error) {
    // `head` closes the pipe at the limit, which makes the tool fail.
    check(end - offset, await unpacked());
    throw error;
  } finally {
    await rm(encodeName(packed), { force: true });
  }
  const given = await unpacked();
  check(end - offset, given);
  return { end, size: given };
}
