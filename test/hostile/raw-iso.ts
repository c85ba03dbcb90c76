/** ISO images written sector by sector, with places and sizes that no ISO writer would give. */
export const sectorSize = 2048;

export interface RawRecord {
  readonly name: string | Buffer;
  readonly sector: number;
  /** Bytes. */
  readonly size: number;
  readonly directory?: boolean;
  readonly systemUse?: Buffer;
}

/** A directory record (ECMA-119, 9.1). */
export function recordBytes({ name, sector, size, directory = false, systemUse }: RawRecord): Buffer {
  const bytes = typeof name === "string" ? Buffer.from(name) : name;
  const extra = systemUse ?? Buffer.alloc(0);
  const nameLength = bytes.length + ((bytes.length + 1) % 2);
  const record = Buffer.alloc(33 + nameLength + extra.length);
  record[0] = record.length;
  record.writeUInt32LE(sector, 2);
  record.writeUInt32BE(sector, 6);
  record.writeUInt32LE(size, 10);
  record.writeUInt32BE(size, 14);
  record.set([120, 1, 1, 0, 0, 0, 0], 18);
  record[25] = directory ? 2 : 0;
  record[28] = 1;
  record[31] = 1;
  record[32] = bytes.length;
  record.set(bytes, 33);
  record.set(extra, 33 + nameLength);
  return record;
}

/** A directory's content: itself, its parent, and the records, none of which crosses a sector. */
export function directoryBytes(
  self: { readonly sector: number; readonly size: number },
  records: readonly RawRecord[],
  own: Buffer = Buffer.alloc(0),
): Buffer {
  const place = { ...self, directory: true };
  const all = [
    recordBytes({ name: Buffer.from([0]), ...place, systemUse: own }),
    recordBytes({ name: Buffer.from([1]), ...place }),
    ...records.map(recordBytes),
  ];
  const sectors: Buffer[] = [];
  let filled: Buffer[] = [];
  const close = (): void => {
    const used = Buffer.concat(filled);
    sectors.push(Buffer.concat([used, Buffer.alloc(sectorSize - used.length)]));
    filled = [];
  };
  for (const record of all) {
    if (filled.reduce((sum, { length }) => sum + length, 0) + record.length > sectorSize) close();
    filled.push(record);
  }
  close();
  return Buffer.concat(sectors);
}

/** An ISO whose root is at `root`; `sectors` are contents by the sector they begin at, from 18 on. */
export function rawIso(
  root: { readonly sector: number; readonly size: number } | undefined,
  sectors: ReadonlyMap<number, Buffer>,
): Buffer {
  const end = Math.max(18, ...[...sectors].map(([at, { length }]) => at + Math.ceil(length / sectorSize)));
  const image = Buffer.alloc(end * sectorSize);
  const descriptor = image.subarray(16 * sectorSize, 17 * sectorSize);
  descriptor.set([1, ...Buffer.from("CD001"), 1]);
  descriptor.writeUInt16LE(sectorSize, 128);
  descriptor.writeUInt32LE(end, 80);
  if (root !== undefined)
    descriptor.set(recordBytes({ name: Buffer.from([0]), ...root, directory: true }), 156);
  image.set([255, ...Buffer.from("CD001"), 1], 17 * sectorSize);
  for (const [at, bytes] of sectors) image.set(bytes, at * sectorSize);
  return image;
}

/** Rock Ridge's entries (SUSP, 4.1): signature, version 1, data. */
export function systemUseEntry(signature: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(signature), Buffer.from([4 + data.length, 1]), data]);
}

/** SUSP's first entry, in the root's own record. */
export const suspStart = systemUseEntry("SP", Buffer.from([0xbe, 0xef, 0]));

/** A number as SUSP has it: both byte orders. */
export function bothEndian(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 8);
  for (const [index, number] of numbers.entries()) {
    bytes.writeUInt32LE(number, index * 8);
    bytes.writeUInt32BE(number, index * 8 + 4);
  }
  return bytes;
}

/**
 * Directories whose places overlap: each reaches to the end of the image and so holds the records of all behind it. Bytes grow
 * with the number of directories, records with its square.
 */
export function overlappingDirectories(count: number): Buffer {
  const first = 18;
  const sizeAt = (index: number): number => (count - index) * sectorSize;
  const sectors = new Map<number, Buffer>();
  for (let index = 0; index < count; index++) {
    const sector = first + index;
    const next = { name: `D${index}`, sector: sector + 1, size: sizeAt(index + 1), directory: true };
    sectors.set(sector, directoryBytes({ sector, size: sizeAt(index) }, index + 1 < count ? [next] : []));
  }
  return rawIso({ sector: first, size: sizeAt(0) }, sectors);
}
