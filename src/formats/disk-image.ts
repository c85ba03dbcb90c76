/** The file systems of a disk's image: of its partitions, or of the whole where it has no partition table. */
import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { hasBootSignature, readPartitions } from "./disk-partitions.ts";
import { isExt } from "./ext-superblock.ts";
import { readExtTree } from "./ext-tree.ts";
import { isFat } from "./fat-clusters.ts";
import { readFatTree } from "./fat-tree.ts";
import { readAt } from "./iso-descriptors.ts";
import type { UnpackLimits } from "./limits.ts";
import { printName } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import type { FileTree } from "./tree.ts";

export interface DiskVolume {
  /** Of its partition; undefined for a disk without partitions. */
  readonly partition: number | undefined;
  readonly kind: "ext" | "FAT";
  readonly tree: FileTree;
}

const headSize = 4096;

/** Whether the bytes, 2048 if there are as many, begin a disk's image or a file system. Kernels and ISOs may look like one. */
export function looksLikeDisk(head: Buffer): boolean {
  return isExt(head) || hasBootSignature(head);
}

/**
 * Reads every file system of the disk's image at `path` (absolute) that can be read. `note` is called with the partitions that are
 * omitted.
 * @throws UserError `no-file-system` where there is none, and those of the readers
 */
export async function readDiskImage(
  path: string,
  { limits = {}, note }: { readonly limits?: UnpackLimits; readonly note: (message: string) => void },
): Promise<readonly DiskVolume[]> {
  const handle = await openRegularFile(path);
  try {
    const { size } = await handle.stat();
    const whole = await readVolume(handle, { path, offset: 0, size }, { number: undefined, limits });
    if (whole !== undefined) return [whole];
    const volumes: DiskVolume[] = [];
    for (const { number, offset, size: length } of await readPartitions(handle, size)) {
      const volume = await readVolume(handle, { path, offset, size: length }, { number, limits });
      if (volume !== undefined) volumes.push(volume);
      else if (!(await isEmpty(handle, offset, length)))
        note(`omitted partition ${number}: it has no ext or FAT file system`);
    }
    if (volumes.length > 0) return volumes;
  } finally {
    await handle.close();
  }
  throw new UserError("the disk image has no file system that can be read: only ext2 to ext4 and FAT can", {
    code: "no-file-system",
    where: printName(path),
    hint: "list its partitions with sfdisk -l, and copy one of them out with dd",
  });
}

async function readVolume(
  handle: FileHandle,
  part: { readonly path: string; readonly offset: number; readonly size: number },
  { number, limits }: { readonly number: number | undefined; readonly limits: UnpackLimits },
): Promise<DiskVolume | undefined> {
  const head = await readAt(handle, part.offset, Math.min(headSize, part.size));
  const label = number === undefined ? part.path : `${part.path}: partition ${number}`;
  if (isExt(head)) {
    return { partition: number, kind: "ext", tree: await readExtTree(handle, part, { label, limits }) };
  }
  // A partition table may follow code that looks like a boot sector; FAT's own has no partition that lies on the disk.
  if (!isFat(head) || (number === undefined && (await readPartitions(handle, part.size)).length > 0))
    return undefined;
  return { partition: number, kind: "FAT", tree: await readFatTree(handle, part, { label, limits }) };
}

/** Room for a boot loader, or for data that is to come. */
async function isEmpty(handle: FileHandle, offset: number, size: number): Promise<boolean> {
  return (await readAt(handle, offset, Math.min(headSize, size))).every((byte) => byte === 0);
}
