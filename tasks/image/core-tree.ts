/** Core's files, read from its initrd. */
import path from "node:path";
import { type FileTree, mergeLayers, noLimits, readInitrd } from "../../src/formats/index.ts";
import { readCoreFacts } from "./core-facts.ts";

/** Core's files with contents, which are spooled to the directory `spoolDir`; all paths are absolute, those of `fetch-iso`. */
export async function readCore(
  { boot, core }: { readonly boot: string; readonly core: string },
  spoolDir: string,
): Promise<FileTree> {
  const { initrd } = await readCoreFacts(core);
  // Within its limits, or it would not have been taken out of its ISO.
  const members = await readInitrd(path.join(boot, initrd), { spoolDir, limits: noLimits });
  return mergeLayers(members.map(({ tree }) => tree)).tree;
}
