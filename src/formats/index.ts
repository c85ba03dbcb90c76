/** The archive formats of an image, read and written; nothing here knows what a build puts into them. */

export { type Admission, admitEntry, admitLinks } from "./admission.ts";
export * from "./content.ts";
export { writeCpio } from "./cpio.ts";
export { FileWindow, readCpio } from "./cpio-reader.ts";
export { type DebControl, type DebOptions, readDebControl, readDebFiles, unpackDeb } from "./deb.ts";
export { type WriteOptions, type Written, writeDigested } from "./digesting.ts";
export * from "./directory.ts";
export { readElfMachine, readNeededLibraries } from "./elf.ts";
export { type FatOptions, writeFat } from "./fat.ts";
export { flattenLayers } from "./flatten.ts";
export { type GemIdentity, readGemIdentity } from "./gem.ts";
export { gzipStages, isGzip } from "./gzip.ts";
export type { PackingPoint } from "./gzip-member.ts";
export { joinLayers, type LayerOptions, writeLayer, writeLayers } from "./initrd.ts";
export { type InitrdMember, type ReadInitrdOptions, readInitrd } from "./initrd-reader.ts";
export { type IsoBoot, type IsoOptions, writeIso } from "./iso.ts";
export { extractIso, type IsoFilesOptions, readIsoFiles, readIsoLabel } from "./iso-reader.ts";
export { type IsoGap, type SkeletonOptions, writeIsoSkeleton } from "./iso-skeleton.ts";
export { readIsoStructure } from "./iso-structure.ts";
export { readIsoTree } from "./iso-tree.ts";
export { layOutTree } from "./laid-out-tree.ts";
export {
  createEntryLimit,
  createLimit,
  defaultLimits,
  noLimits,
  type UnpackLimits,
} from "./limits.ts";
export { type Followed, followLinks } from "./links.ts";
export * from "./magic.ts";
export { type Mended, mendLayer } from "./mend.ts";
export { type Merged, mergeLayers } from "./merge.ts";
export { describeProblem, type MergeProblem } from "./merge-problem.ts";
export * from "./names.ts";
export { type ExtractOptions, extractSquashfs, packSquashfs, type SquashfsOptions } from "./squashfs.ts";
export { listSquashfs, type SquashfsEntry } from "./squashfs-listing.ts";
export { readSquashfsSuperblock, type SquashfsSuperblock } from "./squashfs-superblock.ts";
export { stageTree } from "./staging.ts";
export { coreOwners, type OwnerNames, type TarballOptions, writeTarball } from "./tarball.ts";
export type { TarballEntry } from "./tarball-entry.ts";
export { listTarball, readTarballFiles } from "./tarball-listing.ts";
export { type TarballPolicy, treeFromTarball } from "./tarball-tree.ts";
export * from "./tree.ts";
export type * from "./tree-node.ts";
