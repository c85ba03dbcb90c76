/**
 * The superblock of an ext2, ext3 or ext4 file system: sizes, and which features it uses.
 *
 * Format: Linux, `Documentation/filesystems/ext4` (superblock) and `fs/ext4/ext4.h` (feature flags).
 */
import type { DiskWindow } from "./disk-window.ts";

export interface ExtSuperblock {
  readonly blockSize: number;
  readonly inodes: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  /** Of a group descriptor. */
  readonly descriptorSize: number;
  /** Where the group descriptors begin, in bytes. */
  readonly descriptors: number;
  readonly hasFileTypes: boolean;
}

const superblockAt = 1024;
const magic = 0xef53;

/** Whether the bytes, at least 1082, begin such a file system. */
export function isExt(head: Buffer): boolean {
  return head.length >= superblockAt + 58 && head.readUInt16LE(superblockAt + 56) === magic;
}

const fileTypes = 0x2;
const wide = 0x80;
/** Incompatible features that make no difference to reading: file types, recovery, extents, 64 bits, MMP, flexible groups, … */
const readable = fileTypes | 0x4 | 0x40 | wide | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x20000;
const featureNames: Readonly<Record<number, string>> = {
  1: "compression",
  8: "a journal device",
  16: "meta_bg",
  4096: "data in directory entries",
  32768: "inline data",
  65536: "encryption",
};

/** @throws UserError `bad-file-system`, `unsupported-file-system` */
export async function readSuperblock(window: DiskWindow): Promise<ExtSuperblock> {
  const bytes = await window.read(superblockAt, 1024);
  const incompatible = bytes.readUInt32LE(96);
  for (let flag = 1; flag !== 0 && flag <= 0x4000_0000; flag *= 2)
    if ((incompatible & flag & ~readable) !== 0)
      throw window.unsupported(featureNames[flag] ?? `the feature 0x${flag.toString(16)}`);
  const [blockBits, isOld] = [bytes.readUInt32LE(24), bytes.readUInt32LE(76) === 0];
  if (blockBits > 6) throw window.bad("is damaged: its superblock has no valid block size");
  const blockSize = 1024 << blockBits;
  const inodeSize = isOld ? 128 : bytes.readUInt16LE(88);
  const inodesPerGroup = bytes.readUInt32LE(40);
  if (inodeSize < 128 || inodeSize > blockSize || inodesPerGroup === 0)
    throw window.bad("is damaged: its superblock has no valid inodes");
  const isWide = (incompatible & wide) !== 0;
  const descriptorSize = isWide ? bytes.readUInt16LE(254) : 32;
  if (descriptorSize < 32 || descriptorSize > blockSize)
    throw window.bad("is damaged: its superblock has no valid groups");
  return {
    ...{ blockSize, inodeSize, inodesPerGroup, descriptorSize },
    inodes: bytes.readUInt32LE(0),
    descriptors: (bytes.readUInt32LE(20) + 1) * blockSize,
    hasFileTypes: (incompatible & fileTypes) !== 0,
  };
}
