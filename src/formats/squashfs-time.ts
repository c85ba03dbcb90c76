/** The time that a squashfs image gives for itself. */
import { open } from "node:fs/promises";

/**
 * Seconds since 1970 from the superblock of the image at an absolute path (Linux, fs/squashfs/squashfs_fs.h, struct
 * squashfs_super_block: mkfs_time is the third little-endian word).
 */
export async function readSquashfsTime(file: string): Promise<number> {
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.readUInt32LE(8);
  } finally {
    await handle.close();
  }
}
