/** What can stand at a path of a file tree: files, directories, links, devices, with their owners and times. */
import type { FileContent } from "./content.ts";

/** What every entry carries: `mode` is the 12 permission bits, `mtime` seconds since 1970. */
export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
}

/** Files with the same `linkGroup` are names of one file (hard links) and have the same content. */
export interface FileNode extends Metadata {
  readonly type: "file";
  readonly content: FileContent;
  readonly linkGroup?: string;
}
export interface DirectoryNode extends Metadata {
  readonly type: "directory";
}
export interface SymlinkNode extends Metadata {
  readonly type: "symlink";
  readonly target: string;
}
export interface DeviceNode extends Metadata {
  readonly type: "char" | "block";
  readonly major: number;
  readonly minor: number;
}
export interface FifoNode extends Metadata {
  readonly type: "fifo";
}
export type TreeNode = FileNode | DirectoryNode | SymlinkNode | DeviceNode | FifoNode;
