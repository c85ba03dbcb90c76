/**
 * The clusters of a FAT file system: which follow one another, and where they are.
 *
 * Format: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
 */
import type { DiskWindow, Run } from "./disk-window.ts";

interface FatLayout {
  readonly bits: 12 | 16 | 32;
  /** Bytes. */
  readonly clusterSize: number;
  readonly clusters: number;
  /** Where the first table, the root of FAT12 and FAT16, and the data begin. */
  readonly table: number;
  readonly root: number;
  readonly rootSize: number;
  readonly data: number;
  /** Of FAT32. */
  readonly rootCluster: number;
}

/** A directory is read whole; the specification allows no larger one. */
const largestDirectory = 65536 * 32;

/** Whether the bytes, at least 512, begin such a file system: a jump, and a sector of a possible size. */
export function isFat(head: Buffer): boolean {
  if (head.length < 512 || head[510] !== 0x55 || head[511] !== 0xaa) return false;
  const jumps = (head[0] === 0xeb && head[2] === 0x90) || head[0] === 0xe9;
  const [sector, cluster, reserved, tables] = [
    head.readUInt16LE(11),
    head[13] ?? 0,
    head.readUInt16LE(14),
    head[16] ?? 0,
  ];
  return (
    jumps &&
    [512, 1024, 2048, 4096].includes(sector) &&
    cluster > 0 &&
    (cluster & (cluster - 1)) === 0 &&
    reserved > 0 &&
    tables > 0
  );
}

/** @throws UserError `bad-file-system` */
export async function readBootSector(window: DiskWindow): Promise<FatLayout> {
  const bytes = await window.read(0, 512);
  if (!isFat(bytes)) throw window.bad("is damaged: it has no boot sector");
  const sector = bytes.readUInt16LE(11);
  const sectorsPerCluster = bytes[13] ?? 1;
  const reserved = bytes.readUInt16LE(14);
  const tables = bytes[16] ?? 1;
  const rootSize = bytes.readUInt16LE(17) * 32;
  const sectors = bytes.readUInt16LE(19) || bytes.readUInt32LE(32);
  const tableSectors = bytes.readUInt16LE(22) || bytes.readUInt32LE(36);
  const rootSectors = Math.ceil(rootSize / sector);
  const first = reserved + tables * tableSectors + rootSectors;
  if (sectors <= first) throw window.bad("is damaged: it has no room for data");
  const clusters = Math.floor((sectors - first) / sectorsPerCluster);
  const bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
  if (bits === 32 && rootSize !== 0) throw window.bad("is damaged: it has two roots");
  return {
    ...{ bits, clusters, clusterSize: sectorsPerCluster * sector, rootSize },
    table: reserved * sector,
    root: (reserved + tables * tableSectors) * sector,
    data: first * sector,
    rootCluster: bits === 32 ? bytes.readUInt32LE(44) : 0,
  };
}

/** Bytes of the table that are read at once. */
const pageSize = 64 * 1024;

export class FatClusters {
  readonly #window: DiskWindow;
  readonly #layout: FatLayout;
  #page: { readonly start: number; readonly bytes: Buffer } | undefined;
  /** Clusters of directories that were read: none belongs to two. */
  #listed = 0;

  constructor(window: DiskWindow, layout: FatLayout) {
    this.#window = window;
    this.#layout = layout;
  }

  /** The same file system, opened again. */
  on(window: DiskWindow): FatClusters {
    return new FatClusters(window, this.#layout);
  }

  /** The bytes of the directory that begins with a cluster; 0 for the root. */
  async directory(first: number): Promise<Buffer> {
    const { root, rootSize, rootCluster, bits, clusterSize, clusters } = this.#layout;
    if (first === 0 && bits !== 32) return await this.#window.read(root, rootSize);
    const pieces: Buffer[] = [];
    for await (const cluster of this.#chain(first === 0 ? rootCluster : first)) {
      this.#listed += 1;
      if (this.#listed > clusters || (pieces.length + 1) * clusterSize > largestDirectory)
        throw this.#bad("has a directory that is too large");
      pieces.push(await this.#window.read(this.#placeOf(cluster), clusterSize));
    }
    return Buffer.concat(pieces);
  }

  /** Where the `size` bytes of the file that begins with a cluster are. */
  async *runs(first: number, size: number): AsyncGenerator<Run> {
    const { clusterSize } = this.#layout;
    let left = size;
    let run: { readonly at: number; readonly size: number } | undefined;
    for await (const cluster of this.#chain(first)) {
      if (left <= 0) break;
      const [at, length] = [this.#placeOf(cluster), Math.min(left, clusterSize)];
      if (run !== undefined && at === run.at + run.size) run = { at: run.at, size: run.size + length };
      else {
        if (run !== undefined) yield run;
        run = { at, size: length };
      }
      left -= length;
    }
    if (run !== undefined) yield run;
    if (left > 0) throw this.#bad("has a file with fewer clusters than it has bytes");
  }

  #placeOf(cluster: number): number {
    return this.#layout.data + (cluster - 2) * this.#layout.clusterSize;
  }

  async *#chain(first: number): AsyncGenerator<number> {
    const { clusters, bits } = this.#layout;
    const end = bits === 12 ? 0xff8 : bits === 16 ? 0xfff8 : 0x0ffffff8;
    let cluster = first;
    for (let count = 0; cluster < end; count += 1) {
      if (cluster < 2 || cluster >= clusters + 2)
        throw this.#bad("has a file in clusters that are not there");
      if (count >= clusters) throw this.#bad("has a file without an end");
      yield cluster;
      cluster = await this.#next(cluster);
    }
  }

  async #next(cluster: number): Promise<number> {
    const { bits } = this.#layout;
    if (bits === 32) return (await this.#entry(cluster * 4, 4)).readUInt32LE(0) & 0x0fffffff;
    if (bits === 16) return (await this.#entry(cluster * 2, 2)).readUInt16LE(0);
    const pair = (await this.#entry(cluster + (cluster >> 1), 2)).readUInt16LE(0);
    return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
  }

  async #entry(offset: number, length: number): Promise<Buffer> {
    const at = this.#layout.table + offset;
    let page = this.#page;
    if (page === undefined || at < page.start || at + length > page.start + page.bytes.length) {
      const size = Math.min(pageSize, this.#window.part.size - at);
      page = { start: at, bytes: await this.#window.read(at, Math.max(size, length)) };
      this.#page = page;
    }
    return page.bytes.subarray(at - page.start, at - page.start + length);
  }

  #bad(why: string) {
    return this.#window.bad(`is damaged: it ${why}`);
  }
}
