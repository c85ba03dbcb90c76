/** The beginning of squashfs files: a superblock in which each field may be wrong, before bytes that are no file system. */

export interface SuperblockFields {
  readonly compression?: number;
  readonly blockSize?: number;
  readonly blockLog?: number;
  readonly version?: readonly [major: number, minor: number];
  /** The length of all bytes unless said otherwise. */
  readonly bytesUsed?: number;
}

/** Linux `fs/squashfs/squashfs_fs.h`, `struct squashfs_super_block`, and `body` behind it. */
export function squashfsBytes(body: string | Buffer, fields: SuperblockFields = {}): Buffer {
  const { compression = 1, blockSize = 4096, version = [4, 0] } = fields;
  const bytes = Buffer.concat([Buffer.alloc(96), Buffer.from(body)]);
  bytes.write("hsqs", "latin1");
  bytes.writeUInt32LE(blockSize, 12);
  bytes.writeUInt16LE(compression, 20);
  bytes.writeUInt16LE(fields.blockLog ?? Math.log2(blockSize), 22);
  bytes.writeUInt16LE(version[0], 28);
  bytes.writeUInt16LE(version[1], 30);
  bytes.writeBigUInt64LE(BigInt(fields.bytesUsed ?? bytes.length), 40);
  return bytes;
}
