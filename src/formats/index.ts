/** The archive formats of an image, read and written; nothing here knows what a build puts into them. */
export {
  bytesContent,
  contentSize,
  digestContent,
  type FileContent,
  readContent,
  streamContent,
} from "./content.ts";
export { writeCpio } from "./cpio.ts";
export { FileWindow, readCpio } from "./cpio-reader.ts";
export { type DebControl, readDebControl, unpackDeb } from "./deb.ts";
export type { WriteOptions, Written } from "./digesting.ts";
export {
  type DirectoryOptions,
  type EntryOnDisk,
  type ModePolicy,
  rootOwned,
  treeFromDirectory,
} from "./directory.ts";
export { gzipStages, isGzip } from "./gzip.ts";
export { joinLayers, type LayerOptions, writeLayer } from "./initrd.ts";
export { type InitrdMember, type ReadInitrdOptions, readInitrd } from "./initrd-reader.ts";
export type { UnpackLimits } from "./limits.ts";
export { type Magic, sniff, sniffLength } from "./magic.ts";
export {
  compareNames,
  decodeName,
  encodeName,
  normaliseName,
  parentOf,
  printName,
  rootPath,
} from "./names.ts";
export { type ExtractOptions, extractSquashfs, packSquashfs, type SquashfsOptions } from "./squashfs.ts";
export { listSquashfs, type SquashfsEntry } from "./squashfs-listing.ts";
export {
  type DeviceNode,
  type DirectoryNode,
  type FifoNode,
  type FileNode,
  FileTree,
  type Metadata,
  type SymlinkNode,
  type TreeNode,
} from "./tree.ts";
