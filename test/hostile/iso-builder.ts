/** Core ISOs that are small, and hold whatever a test puts into them. */
import { mkdir, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { bytesContent, FileTree, writeCpio } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("xorriso");

export const kernelRelease = "3.0.21-tinycore";

const menu = [
  "default core",
  "prompt 1",
  "timeout 300",
  "label core",
  "  kernel /boot/vmlinuz",
  "  append initrd=/boot/core.gz quiet",
  "",
].join("\n");

/** An initrd that has modules of one kernel, and nothing else. */
export async function smallInitrd(): Promise<Buffer> {
  const tree = new FileTree().addFile(`lib/modules/${kernelRelease}/modules.dep`, bytesContent(""), {
    mtime: 0,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeCpio(tree.ensureParents({ mtime: 0 }))) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

/**
 * Writes an ISO of the files of a Core ISO to `iso` (absolute), as `change` leaves them in the directory that it is given. Devices,
 * pipes and links are packed as what they are.
 */
export async function packCoreIso(
  $: Shell,
  iso: string,
  change: (root: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const root = `${iso}.root`;
  await mkdir(`${root}/boot/isolinux`, { recursive: true });
  await writeFile(`${root}/boot/vmlinuz`, "kernel");
  await writeFile(`${root}/boot/core.gz`, await smallInitrd());
  await writeFile(`${root}/boot/isolinux/isolinux.cfg`, menu);
  await writeFile(`${root}/boot/isolinux/isolinux.bin`, Buffer.alloc(4096, "isolinux"));
  await change(root);
  await $`xorriso -as mkisofs -quiet -R -o ${iso} ${root}`;
}
