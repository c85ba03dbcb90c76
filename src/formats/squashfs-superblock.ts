/**
 * Reads a squashfs file's superblock: its compression, and whether the file is complete.
 *
 * Format: Linux `fs/squashfs/squashfs_fs.h`, `struct squashfs_super_block`; checks as in `fs/squashfs/super.c`.
 */
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";

/** Where the tables are: bytes from the start of the file system. */
interface SquashfsTables {
  readonly ids: number;
  readonly inodes: number;
  readonly directories: number;
  readonly fragments: number;
}

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
  readonly inodes: number;
  readonly fragments: number;
  readonly ids: number;
  /** Of the root directory: the position of its metadata block in the table of inodes, and the offset in the block. */
  readonly root: InodeReference;
  readonly tables: SquashfsTables;
}

/** The position of a metadata block in the table of inodes, in bytes, and the inode's offset in the unpacked block. */
export interface InodeReference {
  readonly block: number;
  readonly offset: number;
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
    return parseSuperblock(buffer.subarray(0, bytesRead), size, label);
  } finally {
    await handle.close();
  }
}

/**
 * The superblock in the first bytes of a file system in a file (or a stretch of one) of `size` bytes.
 * @throws UserError `bad-squashfs`
 */
export function parseSuperblock(bytes: Buffer, size: number, label: string): SquashfsSuperblock {
  if (bytes.length >= 4 && bytes.toString("latin1", 0, 4) !== "hsqs")
    throw bad("it is not a squashfs file", label);
  if (bytes.length < superblockSize) throw bad(`it is truncated at ${size} bytes`, label);
  const version = `${bytes.readUInt16LE(28)}.${bytes.readUInt16LE(30)}`;
  if (version !== "4.0") throw bad(`it has version ${version}, but Linux mounts only 4.0`, label);
  const blockSize = bytes.readUInt32LE(12);
  if (
    blockSize !== 2 ** bytes.readUInt16LE(22) ||
    blockSize < blockSizes.least ||
    blockSize > blockSizes.most
  ) {
    throw bad(`its blocks have ${blockSize} bytes, but Linux mounts only 4 KiB to 1 MiB`, label);
  }
  const bytesUsed = Number(bytes.readBigUInt64LE(40));
  if (bytesUsed < superblockSize) throw bad("its superblock has no size", label);
  if (bytesUsed > size) throw bad(`it is truncated: it has ${size} of ${bytesUsed} bytes`, label);
  const kind = bytes.readUInt16LE(20);
  const position = (offset: number): number => Number(bytes.readBigUInt64LE(offset));
  return {
    compression: compressions[kind] || `kind ${kind}`,
    blockSize,
    version,
    bytesUsed,
    madeAt: bytes.readUInt32LE(8),
    inodes: bytes.readUInt32LE(4),
    fragments: bytes.readUInt32LE(16),
    ids: bytes.readUInt16LE(26),
    root: { block: Number(bytes.readBigUInt64LE(32) >> 16n), offset: bytes.readUInt16LE(32) },
    tables: { ids: position(48), inodes: position(64), directories: position(72), fragments: position(80) },
  };
}

function bad(why: string, label: string): UserError {
  return new UserError(`the squashfs file cannot be mounted: ${why}`, {
    code: "bad-squashfs",
    where: printName(label),
    hint: "use another mirror: the file is damaged or incomplete",
  });
}
