/**
 * Reads a squashfs file's superblock: its compression, and whether the file is complete.
 *
 * Format: Linux `fs/squashfs/squashfs_fs.h`, `struct squashfs_super_block`; checks as in `fs/squashfs/super.c`.
 */
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";

export interface SquashfsSuperblock {
  /** How data and metadata are compressed; a number where the kind is not known. */
  readonly compression: string;
  /** Bytes of a data block. */
  readonly blockSize: number;
  /** `4.0` for every file that Linux has been able to mount since 2.6.29. */
  readonly version: string;
  /** Bytes of the file system; the file may be longer. */
  readonly bytesUsed: number;
  /** Creation time in seconds since 1970. */
  readonly madeAt: number;
}

const superblockSize = 96;
const compressions = ["", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"];

/** Blocks are of 4 KiB to 1 MiB, a power of two (`SQUASHFS_FILE_MAX_SIZE`; the page size of a PC). */
const blockSizes = { least: 4096, most: 1024 * 1024 };

/**
 * Reads the superblock of the file at `path` (absolute); `label` is how errors name it.
 * @throws UserError `bad-squashfs` for a file that is none, that is cut short, or whose superblock no kernel accepts
 */
export async function readSquashfsSuperblock(path: string, label = path): Promise<SquashfsSuperblock> {
  const handle = await openRegularFile(path, label);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(superblockSize), 0, superblockSize, 0);
    if (bytesRead >= 4 && buffer.toString("latin1", 0, 4) !== "hsqs")
      throw bad("it is not a squashfs file", label);
    if (bytesRead < superblockSize) throw bad(`it is truncated at ${size} bytes`, label);
    const version = `${buffer.readUInt16LE(28)}.${buffer.readUInt16LE(30)}`;
    if (version !== "4.0") throw bad(`it has version ${version}, but Linux mounts only 4.0`, label);
    const blockSize = buffer.readUInt32LE(12);
    if (
      blockSize !== 2 ** buffer.readUInt16LE(22) ||
      blockSize < blockSizes.least ||
      blockSize > blockSizes.most
    ) {
      throw bad(`its blocks have ${blockSize} bytes, but Linux mounts only 4 KiB to 1 MiB`, label);
    }
    const bytesUsed = Number(buffer.readBigUInt64LE(40));
    if (bytesUsed < superblockSize) throw bad("its superblock has no size", label);
    if (bytesUsed > size) throw bad(`it is truncated: it has ${size} of ${bytesUsed} bytes`, label);
    const kind = buffer.readUInt16LE(20);
    return {
      compression: compressions[kind] || `kind ${kind}`,
      blockSize,
      version,
      bytesUsed,
      madeAt: buffer.readUInt32LE(8),
    };
  } finally {
    await handle.close();
  }
}

function bad(why: string, label: string): UserError {
  return new UserError(`the squashfs file cannot be mounted: ${why}`, {
    code: "bad-squashfs",
    where: printName(label),
    hint: "use another mirror: the file is damaged or incomplete",
  });
}
