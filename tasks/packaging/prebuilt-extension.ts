/** An extension of a project's own that is packed already: taken as it is, once it was looked at. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { listSquashfs, readSquashfsSuperblock } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { mountDoubt } from "../image/mountable.ts";
import { textOf } from "./definition.ts";
import { checkSum } from "./made-extension.ts";
import { ownExtensionError } from "./own-extension-error.ts";
import { scriptsDirectory } from "./tree-rules.ts";

interface Prebuilt {
  /** Absolute path of the `.tcz`. */
  readonly file: string;
  /** As users name it. */
  readonly shown: string;
  /** The extension's file name, with the kernel's release. */
  readonly name: string;
  readonly kernelRelease: string;
}

/**
 * Checks that the file is squashfs and what its `.md5.txt` says, if there is one. Returns one sentence for each thing that will not
 * work on the booted machine.
 * @throws UserError `own-extension`, `bad-squashfs`
 */
export async function inspectPrebuilt(
  $: Shell,
  { file, shown, name, kernelRelease }: Prebuilt,
): Promise<readonly string[]> {
  if ((await stat(file)).size === 0)
    throw ownExtensionError("the file is empty", shown, "copy the extension there");
  const sum = await textOf(`${file}.md5.txt`);
  if (sum !== undefined) await checkSum(file, sum, `${shown}.md5.txt`);
  const doubt = mountDoubt(name, await readSquashfsSuperblock(file, shown), kernelRelease);
  const notes = doubt === undefined ? [] : [doubt];
  const expected = `${scriptsDirectory}/${path.basename(name, ".tcz")}`;
  for (const entry of await listSquashfs($, file, shown)) {
    if (!entry.path.startsWith(`${scriptsDirectory}/`)) continue;
    if (entry.path !== expected) notes.push(`${shown}: tce-load never runs ${entry.path}, only ${expected}`);
    else if (entry.type === "file" && (entry.mode & 0o111) === 0)
      notes.push(`${shown}: ${entry.path} is not executable, so that tce-load does not run it`);
  }
  return notes;
}
