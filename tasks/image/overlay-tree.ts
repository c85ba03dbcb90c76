/**
 * The image's own files as a tree: from a directory laid out as the image's root, or from a project with the old scripts'
 * layout, whose files are put where those scripts put them. Variants are not known here, but for one file of theirs.
 */
import {
  contentSize,
  type FileNode,
  FileTree,
  type TreeNode,
  treeFromDirectory,
} from "../../src/formats/index.ts";
import { gemSettings, isOldProject, unusedDirectories } from "../settings/old-project.ts";
import { isEditorFile } from "./editor-files.ts";
import { imagePolicy, normalizeOwners } from "./image-tree.ts";
import { holdsKey, mayHoldKey, tightMode } from "./tight-modes.ts";

/** Directories of a project that nothing is taken from; patterns. */
export const ignoredInProjects = unusedDirectories.map((name) => `${name}/**`);

interface OverlayOptions {
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly variant: string;
  /** Where MCollective is installed, relative to the image's root; undefined in an image without it. */
  readonly mcollectiveDirectory: string | undefined;
  /** Modes that files of an old project keep, by their paths in it, as the old script's `cp -p` did. */
  readonly modes: ReadonlyMap<string, number>;
}

/** Reads `directory` (absolute), laid out as the image's root or as an old project. */
export async function overlayTree(directory: string, options: OverlayOptions): Promise<FileTree> {
  const { mtime } = options;
  if (!isOldProject(directory)) {
    const found = await treeFromDirectory(directory, {
      mtime,
      policy: imagePolicy,
      filter: (name, entry) => name !== ".git" && isTakenFile(name, entry.type),
    });
    return await tightenKeys(found);
  }
  const project = await treeFromDirectory(directory, {
    mtime,
    filter: (name, entry) => isTaken(name.split("/")[0] ?? "") && isTakenFile(name, entry.type),
  });
  const tree = new FileTree();
  const kept = new Map<string, number>();
  for (const [name, node] of project) {
    if (node.type === "directory") continue;
    const target = placeOf(name, options, project);
    if (target === undefined) continue;
    tree.set(target, node);
    const mode = options.modes.get(name);
    if (mode !== undefined && tightMode(target, node.type) === undefined) kept.set(target, mode);
  }
  // The old script made the directories itself.
  normalizeOwners(tree.ensureParents({ mtime }));
  for (const [name, mode] of kept) {
    const node = tree.get(name);
    if (node?.type === "file") tree.set(name, { ...node, mode });
  }
  // As the old script's last revisions did: Tiny Core runs them at boot.
  for (const [name, node] of tree)
    if (/^opt\/boot[^/]*\.sh$/.test(name)) tree.set(name, { ...node, mode: node.mode | 0o555 });
  return await tightenKeys(tree);
}

/** Larger files are no keys. */
const largestKey = 1024 * 1024;

/** Makes files that hold private keys among other things their owner's alone. */
async function tightenKeys(tree: FileTree): Promise<FileTree> {
  const isCandidate = (node: TreeNode): node is FileNode =>
    node.type === "file" && contentSize(node.content) <= largestKey && (node.mode & 0o077) !== 0;
  for (const [name, node] of tree) {
    if (!mayHoldKey(name) || !isCandidate(node)) continue;
    if (holdsKey(await tree.read(name))) tree.set(name, { ...node, mode: 0o600 });
  }
  return tree;
}

function isTakenFile(name: string, type: TreeNode["type"]): boolean {
  return type === "directory" || !isEditorFile(name);
}

const agents: Readonly<Record<string, string>> = {
  "configuration-agent/configuration.rb": "configuration.rb",
  "facter-agent/facteragent.rb": "facteragent.rb",
};

/** Whether anything below this entry of the project's top is taken. */
function isTaken(top: string): boolean {
  return (
    /^rz_mk_.*\.rb$/.test(top) ||
    top === gemSettings ||
    ["razor_microkernel", "etc", "opt", "tmp", "usr"].includes(top) ||
    Object.keys(agents).some((agent) => agent.startsWith(`${top}/`))
  );
}

/** Where the image has a file of the project; undefined for what it does not have. */
function placeOf(name: string, options: OverlayOptions, project: FileTree): string | undefined {
  const { variant, mcollectiveDirectory } = options;
  if (name === gemSettings) return "root/.gemrc";
  if (!name.includes("/")) return `usr/local/bin/${name}`;
  const agent = agents[name];
  if (agent !== undefined) {
    return mcollectiveDirectory === undefined
      ? undefined
      : `${mcollectiveDirectory}/plugins/mcollective/agent/${agent}`;
  }
  if (name.startsWith("razor_microkernel/")) {
    return name.endsWith(".rb") ? `usr/local/lib/ruby/1.8/${name}` : undefined;
  }
  // A production image's accounts come from a file of their own, where there is one.
  const locked = "etc/shadow-nologin";
  if (name === locked) return variant === "prod" ? "etc/shadow" : undefined;
  if (name === "etc/shadow" && variant === "prod" && project.has(locked)) return undefined;
  // Debug images have settings of their own, where there are some; no other image has that file.
  const verbose = "tmp/mk_conf_debug.yaml";
  if (name === verbose) return variant === "debug" ? "tmp/mk_conf.yaml" : undefined;
  if (name === "tmp/mk_conf.yaml" && variant === "debug" && project.has(verbose)) return undefined;
  // The list is the gem step's, and that fetches the gems too.
  if (name.startsWith("opt/gems/")) return undefined;
  return /^(etc|opt|tmp|usr)\//.test(name) ? name : undefined;
}
