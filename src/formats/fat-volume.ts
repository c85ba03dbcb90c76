/**
 * A FAT32 file system with a directory's content, by mkfs.vfat, mcopy and mmd: with long names, and the same bytes for the same content.
 *
 * Sources: mkfs.fat(8) (`--invariant`, `-h`), mcopy(1), mmd(1); Microsoft, "FAT: General Overview of On-Disk Format", 1.03 (number of clusters).
 */
import { readdir, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../host/index.ts";
import { compareNames } from "./names.ts";
import { withTool } from "./tool-failure.ts";

interface FatVolumeOptions {
  /** Bytes. */
  readonly size: number;
  /** Sectors before the volume on its disk. */
  readonly start: number;
  /** Eight hex digits. */
  readonly volumeId: string;
  /** At most 11 capitals. */
  readonly label: string;
  /** Seconds since 1970: the time of everything. */
  readonly epoch: number;
}

/** Clusters of the smallest FAT32: with fewer a volume is taken for FAT16. */
const fewestClusters = 65_525;
const sectorSize = 512;
/** The largest cluster that mkfs.vfat chooses. */
const largestCluster = 32_768;

/** Bytes that a volume needs for files of these sizes. */
export function fatSizeFor(files: readonly number[], directories: number): number {
  const clusters = files.reduce((sum, size) => sum + Math.ceil(size / largestCluster), directories * 2 + 4);
  const content = clusters * largestCluster;
  // Two tables with four bytes for each cluster, of which a small one has but one sector.
  return Math.max(Math.ceil(content * 1.02), (fewestClusters + 1_000) * (sectorSize + 8));
}

/**
 * Makes the volume in `file` (absolute; replaced, sparse) with the content of the directory `tree`, which has no links.
 * @throws UserError `tool-failed`
 */
export async function writeFatVolume(
  $: Shell,
  tree: string,
  file: string,
  { size, start, volumeId, label, epoch }: FatVolumeOptions,
): Promise<void> {
  await writeFile(file, "");
  await truncate(file, size);
  const env = [`SOURCE_DATE_EPOCH=${epoch}`, "MTOOLS_SKIP_CHECK=1"];
  await withTool(
    { tool: "mkfs.vfat", what: "make the file system", where: file, hint: "see what mkfs.vfat says" },
    // Invariant first: it sets an id, which `-i` replaces.
    () => $`env ${env} mkfs.vfat --invariant -F 32 -i ${volumeId} -h ${start} -n ${label} ${file}`,
  );
  const copying = { what: "copy files into the file system", where: file, hint: "see what mtools say" };
  const copy = async (directory: string): Promise<void> => {
    const entries = await readdir(path.join(tree, directory), { withFileTypes: true });
    // mcopy would copy a directory in the order in which this machine's file system has it.
    const sorted = entries.sort((a, b) => compareNames(a.name, b.name));
    const files = sorted.filter((entry) => !entry.isDirectory());
    if (files.length > 0) {
      const paths = files.map(({ name }) => path.join(tree, directory, name));
      await withTool(
        { ...copying, tool: "mcopy" },
        () => $`env ${env} mcopy -i ${file} ${paths} ::/${directory}`,
      );
    }
    for (const { name } of sorted.filter((entry) => entry.isDirectory())) {
      const below = path.posix.join(directory, name);
      await withTool({ ...copying, tool: "mmd" }, () => $`env ${env} mmd -i ${file} ::/${below}`);
      await copy(below);
    }
  };
  await copy("");
}
