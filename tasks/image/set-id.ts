/**
 * Set-user-id and set-group-id files in extensions: in the image, every user runs them with the rights of their owner or group.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { listSquashfs, printName } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";

/**
 * A sentence for each extension in `directory` (absolute) that has such files, which it names, or that cannot be read; sorted by
 * extension.
 */
export async function describeSetIdFiles($: Shell, directory: string): Promise<readonly string[]> {
  const extensions = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith(".tcz"));
  const sentences: string[] = [];
  for (const extension of extensions.sort()) {
    const name = path.basename(extension);
    let entries: Awaited<ReturnType<typeof listSquashfs>>;
    try {
      entries = await listSquashfs($, path.join(directory, extension), name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      sentences.push(`${printName(name)} was not searched for set-id files: ${error.message}`);
      continue;
    }
    const found = entries.filter(({ type, mode }) => type === "file" && (mode & 0o6000) !== 0);
    if (found.length === 0) continue;
    const files = found.map((entry) => `${printName(entry.path)} (${describe(entry)})`);
    sentences.push(`${printName(name)} has set-id files: ${files.join(", ")}`);
  }
  return sentences;
}

function describe({
  mode,
  uid,
  gid,
}: {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}): string {
  const user = (mode & 0o4000) === 0 ? [] : [uid === 0 ? "as root" : `as user ${uid}`];
  const group = (mode & 0o2000) === 0 ? [] : [`with group ${gid}`];
  return `runs ${[...user, ...group].join(", ")}`;
}
