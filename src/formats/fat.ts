/**
 * A small FAT12 file system, written from a tree: what UEFI firmware starts a boot loader from.
 * It writes short names only.
 *
 * Format: Microsoft, "FAT: General Overview of On-Disk Format", 1.03; the UEFI specification, 13.3, takes it over.
 */
import { UserError } from "../errors/index.ts";
import { contentSize, type FileContent, streamContent } from "./content.ts";
import { type WriteOptions, type Written, writeDigested } from "./digesting.ts";
import { badName, directoryEntry, entrySize, type FatPlace, shortName } from "./fat-entry.ts";
import { parentOf, printName, rootPath } from "./names.ts";
import type { FileTree } from "./tree.ts";

export interface FatOptions extends WriteOptions {
  /** Seconds since 1970: the time of every file, and the number that stands for the volume. */
  readonly epoch: number;
}

const sectorSize = 512;
/** As large as a sector of a CD, so that files stay aligned there. */
const clusterSize = 2048;
const clusterSectors = clusterSize / sectorSize;
const rootEntries = 64;
/** With more, the volume would be taken for FAT16. */
const mostClusters = 4084;
/** Cluster number that ends a chain; the first two numbers are not used. */
const lastCluster = 0xfff;
const firstCluster = 2;

interface Stretch extends FatPlace {
  readonly path: string;
  readonly clusters: number;
  /** A directory's bytes are made from where its children lie. */
  readonly content: FileContent | undefined;
}

/**
 * Writes the directories and files of `tree` as a FAT12 volume that is just large enough to `out` (absolute). Names are like
 * `BOOTX64.EFI`: capitals, digits, `_` and `-`, 8 and 3 of them at most. The bytes depend on tree and epoch only.
 * @throws UserError `fat-name`, `fat-too-large`
 */
export async function writeFat(tree: FileTree, out: string, options: FatOptions): Promise<Written> {
  const stretches = allocate(tree);
  const clusters = stretches.reduce((sum, { clusters: own }) => sum + own, 0);
  if (clusters > mostClusters) {
    throw new UserError(
      `the files need ${clusters} clusters of ${clusterSize} bytes, but only ${mostClusters} fit`,
      {
        code: "fat-too-large",
        where: printName(out),
        hint: "put only the boot loader's files into the FAT volume",
      },
    );
  }
  return await writeDigested(out, volume(tree, stretches, clusters, options.epoch), [], options);
}

function allocate(tree: FileTree): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let next = firstCluster;
  for (const [path, node] of tree) {
    if (path === rootPath) continue;
    const content = node.type === "file" ? node.content : undefined;
    if (content === undefined && node.type !== "directory") throw badName(path, `is a ${node.type}`);
    shortName(path);
    const size = content === undefined ? 0 : contentSize(content);
    // A directory has at least the entries of itself and of its parent.
    const bytes = content === undefined ? (childrenOf(tree, path).length + 2) * entrySize : size;
    const clusters = Math.ceil(bytes / clusterSize);
    stretches.push({ path, first: clusters === 0 ? 0 : next, clusters, size, content });
    next += clusters;
  }
  return stretches;
}

function childrenOf(tree: FileTree, directory: string): readonly string[] {
  return tree.paths().filter((path) => path !== rootPath && (parentOf(path) ?? rootPath) === directory);
}

async function* volume(
  tree: FileTree,
  stretches: readonly Stretch[],
  clusters: number,
  epoch: number,
): AsyncGenerator<Uint8Array> {
  const table = allocationTable(stretches, clusters);
  yield bootSector(clusters, table.length / sectorSize, epoch);
  yield table;
  yield table;
  const places = new Map(stretches.map((stretch) => [stretch.path, stretch]));
  const entriesOf = (directory: string): readonly Buffer[] =>
    childrenOf(tree, directory).flatMap((path) => {
      const place = places.get(path);
      return place === undefined ? [] : [directoryEntry(shortName(path), place, epoch)];
    });
  yield padded(Buffer.concat(entriesOf(rootPath)), rootEntries * entrySize);
  for (const stretch of stretches) {
    if (stretch.content === undefined) {
      const above = places.get(parentOf(stretch.path) ?? "");
      const own = [
        directoryEntry(".".padEnd(11), stretch, epoch),
        // The root directory has the number 0.
        directoryEntry("..".padEnd(11), above ?? { ...stretch, first: 0 }, epoch),
      ];
      yield padded(Buffer.concat([...own, ...entriesOf(stretch.path)]), stretch.clusters * clusterSize);
    } else {
      yield* streamContent(stretch.content);
      yield Buffer.alloc(stretch.clusters * clusterSize - stretch.size);
    }
  }
}

/** 12 bits for each cluster: the number of the next one of its file. */
function allocationTable(stretches: readonly Stretch[], clusters: number): Buffer {
  const numbers = [0xff8, lastCluster];
  for (const { first, clusters: own } of stretches) {
    for (let index = 0; index < own; index++)
      numbers.push(index === own - 1 ? lastCluster : first + index + 1);
  }
  if (numbers.length !== clusters + firstCluster) throw new Error("clusters are not counted right");
  const bytes = Buffer.alloc(Math.ceil((numbers.length * 1.5) / sectorSize) * sectorSize);
  for (const [index, number] of numbers.entries()) {
    const at = Math.floor(index * 1.5);
    const shift = index % 2 === 0 ? 0 : 4;
    bytes.writeUInt16LE(bytes.readUInt16LE(at) | (number << shift), at);
  }
  return bytes;
}

/** The first sector, and what else is kept free before the tables. */
function bootSector(clusters: number, tableSectors: number, epoch: number): Buffer {
  const sector = Buffer.alloc(sectorSize);
  sector.set([0xeb, 0x3c, 0x90]);
  sector.write("MSDOS5.0", 3, "latin1");
  sector.writeUInt16LE(sectorSize, 11);
  sector.writeUInt8(clusterSectors, 13);
  const tables = 2 * tableSectors + (rootEntries * entrySize) / sectorSize;
  // Clusters begin at a sector of the CD, too.
  const reserved = clusterSectors - (tables % clusterSectors);
  sector.writeUInt16LE(reserved, 14);
  sector.writeUInt8(2, 16);
  sector.writeUInt16LE(rootEntries, 17);
  sector.writeUInt16LE(reserved + tables + clusters * clusterSectors, 19);
  sector.writeUInt8(0xf8, 21);
  sector.writeUInt16LE(tableSectors, 22);
  // Geometry, which nobody asks for any more.
  sector.writeUInt16LE(32, 24);
  sector.writeUInt16LE(64, 26);
  sector.set([0x80, 0, 0x29], 36);
  sector.writeUInt32LE(epoch % 2 ** 32, 39);
  sector.write("NO NAME    FAT12   ", 43, "latin1");
  sector.set([0x55, 0xaa], sectorSize - 2);
  return padded(sector, reserved * sectorSize);
}

function padded(bytes: Buffer, size: number): Buffer {
  if (bytes.length > size) throw badName(rootPath, `contains more than ${rootEntries} entries`);
  return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
}
