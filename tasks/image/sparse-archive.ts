/** A sparse file as a tar archive, which has what is in it and where. */
import path from "node:path";
import type { Shell } from "../../src/host/index.ts";

/** Archives the file (absolute) in the directory `scratch`; returns the archive's absolute path. */
export async function archiveSparse($: Shell, file: string, scratch: string): Promise<string> {
  const archive = path.join(scratch, `${path.basename(file)}.tar`);
  const format = ["--format=posix", "--sparse", "--sparse-version=1.0"];
  await $`tar ${format} -C ${path.dirname(file)} -cf ${archive} ${path.basename(file)}`;
  return archive;
}
