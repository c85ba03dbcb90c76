/**
 * The database of installed packages, with one time of installation. Format of exported headers: rpm, "RPM v4 file format", "Header
 * structure"; tags: rpm, rpmtag.h.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../../src/host/index.ts";

const magic = 0x8e_ad_e8_01;
/** RPMTAG_INSTALLTIME, and RPMTAG_INSTALLTID, which is a time, too. */
const timeTags = new Set([1008, 1128]);

/** Headers as `rpmdb --exportdb` writes them, one behind the other, with this time (seconds since 1970) of installation. */
export function datedHeaders(bytes: Buffer, epoch: number): Buffer {
  const dated = Buffer.from(bytes);
  for (let at = 0; at < dated.length; ) {
    if (dated.readUInt32BE(at) !== magic) throw new Error(`no header of a package at byte ${at}`);
    const entries = dated.readUInt32BE(at + 8);
    const data = at + 16 + entries * 16;
    for (let entry = at + 16; entry < data; entry += 16) {
      if (timeTags.has(dated.readUInt32BE(entry)))
        dated.writeUInt32BE(epoch, data + dated.readUInt32BE(entry + 8));
    }
    at = data + dated.readUInt32BE(at + 12);
  }
  return dated;
}

/** Makes the database in the directory (absolute) anew, with this time of installation; its bytes depend on the packages only. */
export async function dateDatabase(
  $: Shell,
  directory: string,
  scratch: string,
  epoch: number,
): Promise<void> {
  const [exported, dated] = [path.join(scratch, "headers"), path.join(scratch, "dated")];
  const fresh = path.join(scratch, "rpm");
  await mkdir(fresh);
  await $`sh -c ${'rpmdb --dbpath "$1" --exportdb >"$2"'} sh ${directory} ${exported}`;
  await writeFile(dated, datedHeaders(await readFile(exported), epoch));
  await $`sh -c ${'rpmdb --dbpath "$1" --importdb <"$2"'} sh ${fresh} ${dated}`;
  // The journal is empty, and its index is of one process.
  for (const name of await readdir(fresh)) if (/-(shm|wal)$|^\./.test(name)) await rm(path.join(fresh, name));
  await rm(directory, { recursive: true });
  await rename(fresh, directory);
}
