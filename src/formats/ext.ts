/**
 * An ext2, ext3 or ext4 file system with a directory's content, by mke2fs: without root, and with the same bytes for the same content.
 *
 * Sources: mke2fs(8), ext4(5) (features), mke2fs.conf(5), debugfs(8) (`set_inode_field`); Linux, `Documentation/filesystems/ext4`
 * (superblock: inode counts). mke2fs 1.47 copies owners and change times from the directory, so both are set afterwards.
 */
import { open, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../host/index.ts";
import { withTool } from "./tool-failure.ts";

export type ExtKind = "ext2" | "ext3" | "ext4";

interface ExtOptions {
  readonly kind: ExtKind;
  /** Bytes of the file system, whole blocks of 4096. */
  readonly size: number;
  readonly uuid: string;
  /** At most 16 bytes. */
  readonly label: string;
  /** Seconds since 1970: the time of everything. */
  readonly epoch: number;
  /** An existing directory (absolute) for intermediate files. */
  readonly scratch: string;
}

const extBlock = 4096;
const inodeSize = 256;
/** Bytes of the file system for each inode. */
const inodeRatio = 16_384;

/**
 * What Linux 3.0 of Tiny Core 4 and GRUB 2.02 can read and write, whatever this machine's mke2fs.conf has: checksums of metadata, 64-bit
 * block numbers and `huge_file`, which kernels without large block devices refuse, are not among them.
 */
const base = "none,ext_attr,dir_index,filetype,sparse_super,large_file";
const features: Readonly<Record<ExtKind, string>> = {
  ext2: base,
  ext3: `${base},has_journal`,
  ext4: `${base},has_journal,extent,flex_bg,dir_nlink,extra_isize`,
};

/** mke2fs refuses a type that no configuration knows. */
const configuration = ["[defaults]", "base_features = none", "[fs_types]"]
  .concat(
    ["ext2", "ext3", "ext4", "small", "floppy", "big", "huge"].map(
      (type) => `${type} = {\nblocksize = 4096\n}`,
    ),
  )
  .concat("");

const firstInode = 11;
const rootInode = 2;

/** MiB of the journal: a 256th of the file system. */
function journalSize(size: number): number {
  return Math.min(64, Math.max(4, Math.floor(size / 256 / 1024 ** 2)));
}

/**
 * Bytes that a file system needs for files of these sizes: their blocks, a block for each directory and what describes the blocks, the
 * journal and the inode tables, with a little for what no count foresees.
 */
export function extSizeFor(kind: ExtKind, files: readonly number[], directories: number): number {
  const blocks = files.reduce(
    (sum, size) => sum + Math.ceil(size / extBlock) + 1 + Math.ceil(size / extBlock / 500),
    0,
  );
  const content = (blocks + directories * 2 + 64) * extBlock;
  let size = content;
  // The journal and the tables grow with the file system.
  for (let round = 0; round < 8; round++) {
    const journal = kind === "ext2" ? 0 : journalSize(size) * 1024 ** 2;
    size = Math.ceil((content + journal + 1024 ** 2) / (1 - inodeSize / inodeRatio - 0.002));
  }
  return size;
}

/**
 * Makes the file system in `file` (absolute; replaced, sparse) with the content of the directory `tree`, whose modes it takes; everything
 * belongs to root. @throws UserError `tool-failed`
 */
export async function writeExt($: Shell, tree: string, file: string, options: ExtOptions): Promise<void> {
  const { kind, size, uuid, label, epoch, scratch } = options;
  await writeFile(file, "");
  await truncate(file, size);
  const config = path.join(scratch, "mke2fs.conf");
  await writeFile(config, configuration.join("\n"));
  const env = [`MKE2FS_CONFIG=${config}`, `SOURCE_DATE_EPOCH=${epoch}`, `E2FSPROGS_FAKE_TIME=${epoch}`];
  const shape = [
    "-t",
    kind,
    "-O",
    features[kind],
    "-b",
    `${extBlock}`,
    "-I",
    `${inodeSize}`,
    "-i",
    `${inodeRatio}`,
  ];
  const journal = kind === "ext2" ? [] : ["-J", `size=${journalSize(size)}`];
  // The hash seed is random otherwise; tables that are not written would be by the first system that mounts it.
  const extended = `hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0`;
  const names = ["-U", uuid, "-L", label, "-m", "0", "-E", extended];
  await withTool(
    { tool: "mke2fs", what: "make the file system", where: file, hint: "see what mke2fs says" },
    () => $`env ${env} mke2fs -q -F ${shape} ${journal} ${names} -d ${tree} ${file}`,
  );
  const script = path.join(scratch, "debugfs.script");
  await writeFile(script, (await inodesOf(file)).map((inode) => inodeLines(inode, epoch)).join(""));
  await withTool(
    { tool: "debugfs", what: "set owners and times", where: file, hint: "see what debugfs says" },
    () => $`env ${env} debugfs -w -f ${script} ${file}`,
  );
}

/** The inodes of root and of everything below it: mke2fs gives them their numbers one after the other. */
async function inodesOf(file: string): Promise<readonly number[]> {
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 1024);
    const used = buffer.readUInt32LE(0) - buffer.readUInt32LE(16);
    // Ten are reserved, and root is one of these.
    return [rootInode, ...Array.from({ length: used - (firstInode - 1) }, (_, index) => firstInode + index)];
  } finally {
    await handle.close();
  }
}

function inodeLines(inode: number, epoch: number): string {
  const set = (field: string, value: string): string => `set_inode_field <${inode}> ${field} ${value}\n`;
  const times = ["atime", "ctime", "mtime", "crtime"].map(
    (field) => set(field, `@${epoch}`) + set(`${field}_extra`, "0"),
  );
  return [set("uid", "0"), set("gid", "0"), ...times].join("");
}
