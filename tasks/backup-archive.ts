/**
 * A backup as a tarball: the project's files, the downloads that a rebuild needs, what was built, and how to build it again.
 * `sha256sum -c SHA256SUMS` checks it without this program.
 */
import path from "node:path";
import { isDigest } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  treeFromTarball,
  type UnpackLimits,
  writeTarball,
} from "../src/formats/index.ts";
import { contentOfFile } from "../src/inspection/index.ts";
import { checksumsFile, formatChecksums, parseChecksums } from "../src/release/index.ts";

/** Directories of the archive, and the configuration file in `project`. */
const place = { project: "project", downloads: "downloads", artifacts: "artifacts" } as const;
export const rebuildFile = "rebuild.conf";

export interface BackupContents {
  readonly project: FileTree;
  /** Absolute paths of downloads by their sha256. */
  readonly downloads: ReadonlyMap<string, { readonly path: string; readonly size: number }>;
  /** The same of artifacts by file name. */
  readonly artifacts: ReadonlyMap<string, { readonly path: string; readonly size: number }>;
  /** The text of `rebuild.conf`: the options of the build. */
  readonly configuration: string;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Writes the archive to `file` (absolute), which is replaced as a whole. */
export async function writeBackup(
  contents: BackupContents,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const { project, downloads, artifacts, configuration, mtime } = contents;
  const tree = new FileTree();
  tree.addTree(project, place.project);
  tree.addFile(`${place.project}/${rebuildFile}`, bytesContent(configuration), { mtime });
  const add = (directory: string, files: BackupContents["downloads"]): void => {
    for (const [name, { path: at, size }] of files)
      tree.addFile(`${directory}/${name}`, { kind: "file", path: at, offset: 0, size }, { mtime });
  };
  add(place.downloads, downloads);
  add(place.artifacts, artifacts);
  const digests = new Map<string, string>();
  for (const [name, node] of tree)
    if (node.type === "file") digests.set(name, await tree.contentDigest(name));
  tree.addFile(checksumsFile, bytesContent(formatChecksums(digests)), { mtime });
  await writeTarball(tree.ensureParents({ mtime }), file, { level: "none", signal });
}

/** A backup that was read; contents stay in its file. */
interface Backup {
  readonly project: FileTree;
  /** By sha256. */
  readonly downloads: FileTree;
}

/**
 * Reads the backup at `file` (absolute) and checks every file's digest.
 * @throws UserError `unreadable-file`, `not-a-backup`, `backup-damaged`, and those of tarballs
 */
export async function readBackup(file: string, scratch: string, limits: UnpackLimits): Promise<Backup> {
  await contentOfFile(file);
  // Links are the project's own, and lead where they did.
  const tree = await treeFromTarball(file, scratch, { ...limits, links: "image", inPlace: true });
  if (tree.get(checksumsFile)?.type !== "file" || tree.get(place.project)?.type !== "directory") {
    throw new UserError("the file is not a backup of a project", {
      code: "not-a-backup",
      where: file,
      hint: "name a file that `task backup` made",
    });
  }
  const digests = parseChecksums((await tree.read(checksumsFile)).toString("utf8"));
  for (const [name, node] of tree) {
    if (node.type !== "file" || name === checksumsFile) continue;
    if ((await tree.contentDigest(name)) !== digests.get(name)) throw damaged(file, name);
  }
  for (const name of digests.keys()) if (!tree.has(name)) throw damaged(file, name);
  return { project: below(tree, place.project), downloads: checkedDownloads(tree, file) };
}

function checkedDownloads(tree: FileTree, file: string): FileTree {
  const downloads = below(tree, place.downloads);
  for (const [name, node] of downloads)
    if (node.type !== "file" || !isDigest(name)) throw damaged(file, path.posix.join(place.downloads, name));
  return downloads;
}

function below(tree: FileTree, directory: string): FileTree {
  return new FileTree(
    tree.below(directory).flatMap((name) => {
      const node = tree.get(name);
      return node === undefined ? [] : [[name.slice(directory.length + 1), node] as const];
    }),
  );
}

function damaged(file: string, name: string): UserError {
  return new UserError(`the backup is damaged: ${name} differs from its digest`, {
    code: "backup-damaged",
    where: file,
    hint: "take another copy of the backup",
  });
}
