/**
 * What the kernel makes of several initrd layers: the merged tree, and where a later layer does not do what it seems to.
 * It knows nothing of why a layer holds what it holds; the caller decides what to do about a problem.
 *
 * Rules: Linux `init/initramfs.c` (`clean_path`, `maybe_link`, `do_name`, `do_symlink`).
 */
import { followLinks } from "./links.ts";
import { parentOf, printName, rootPath } from "./names.ts";
import { FileTree, type Metadata, type TreeNode } from "./tree.ts";

interface Place {
  readonly path: string;
  /** Index of the layer whose entry has the problem. */
  readonly layer: number;
}

/** `modes` are the 12 bits; `from` is what lower layers made, `to` what this layer makes. */
export type MergeProblem =
  | (Place & { readonly kind: "hard-link-truncated"; readonly otherNames: readonly string[] })
  | (Place & { readonly kind: "symlink-replaced-by-directory"; readonly target: string })
  | (Place & { readonly kind: "directory-replaced-by-symlink"; readonly target: string })
  | (Place & { readonly kind: "lost-under-directory"; readonly type: TreeNode["type"] })
  | (Place & { readonly kind: "directory-changed"; readonly from: Owner; readonly to: Owner })
  | (Place & { readonly kind: "hard-link-over-file" })
  | (Place & { readonly kind: "device-kept" })
  | (Place & { readonly kind: "parent-missing"; readonly parent: string });

type Owner = Omit<Metadata, "mtime">;

export interface Merged {
  readonly tree: FileTree;
  readonly problems: readonly MergeProblem[];
}

/**
 * Merges layers in order; entries of a layer apply in byte order, as `writeCpio` writes them. Hard-link groups of different
 * layers stay apart, save where a layer writes into a lower one's file.
 */
export function mergeLayers(layers: readonly FileTree[]): Merged {
  const state = new MergeState();
  for (const [layer, tree] of layers.entries()) {
    const links = new Map<string, string>();
    for (const [path, node] of tree) state.apply(layer, path, node, links);
  }
  return { tree: state.tree, problems: state.problems };
}

/** A problem as one sentence. `layerName` names a layer by its index. */
export function describeProblem(
  problem: MergeProblem,
  layerName: (layer: number) => string = (layer) => `layer ${layer}`,
): string {
  const place = `${printName(problem.path)} of ${layerName(problem.layer)}`;
  switch (problem.kind) {
    case "hard-link-truncated":
      return `${place} overwrites a hard-linked file and so also ${problem.otherNames.map(printName).join(", ")}`;
    case "symlink-replaced-by-directory":
      return `${place} is a directory and removes the link to ${printName(problem.target)} below it`;
    case "directory-replaced-by-symlink":
      return `${place} is a link to ${printName(problem.target)} and removes the directory below it`;
    case "lost-under-directory":
      return `${place} is lost: a lower layer has a directory there that is not empty`;
    case "directory-changed":
      return `${place} changes the directory from ${printOwner(problem.from)} to ${printOwner(problem.to)}`;
    case "hard-link-over-file":
      return `${place} is a further name of a hard-linked file over an existing one; kernels before 5.0 lose it`;
    case "device-kept":
      return `${place} does not replace the device that a lower layer made there`;
    case "parent-missing":
      return `${place} is lost: there is no directory ${printName(problem.parent)}`;
  }
}

function printOwner({ mode, uid, gid }: Owner): string {
  return `${mode.toString(8).padStart(4, "0")} ${uid}:${gid}`;
}

const ownerOf = ({ mode, uid, gid }: TreeNode): Owner => ({ mode, uid, gid });

class MergeState {
  readonly tree = new FileTree();
  readonly problems: MergeProblem[] = [];
  /** How many entries lie directly in a directory: only an empty one can be removed. */
  readonly #children = new Map<string, number>();
  /** Names of one file by its group. */
  readonly #names = new Map<string, Set<string>>();

  /** Applies one entry. `links` remembers this layer's groups and the first name of each. */
  apply(layer: number, given: string, node: TreeNode, links: Map<string, string>): void {
    // The kernel opens names the ordinary way: links in the directories before the last part are followed.
    const path = followLinks(this.tree, given, false).path || rootPath;
    const place = { path: given, layer };
    const parent = parentOf(path);
    if (parent !== undefined && this.tree.get(parent)?.type !== "directory") {
      this.problems.push({ ...place, kind: "parent-missing", parent });
      return;
    }
    const lower = this.tree.get(path);
    // A link is always removed first, anything else only by an entry of another type.
    if (lower !== undefined && (lower.type !== node.type || node.type === "symlink")) {
      if (!this.#clean(path, lower, node, place)) return;
    }
    this.#write(path, node, place, links);
  }

  /** `clean_path`: true when nothing stands in the way any more. */
  #clean(path: string, lower: TreeNode, node: TreeNode, place: Place): boolean {
    if (lower.type === "directory" && (this.#children.get(path) ?? 0) > 0) {
      this.problems.push({ ...place, kind: "lost-under-directory", type: node.type });
      return false;
    }
    if (lower.type === "symlink" && node.type === "directory") {
      this.problems.push({ ...place, kind: "symlink-replaced-by-directory", target: lower.target });
    }
    if (lower.type === "directory" && node.type === "symlink") {
      this.problems.push({ ...place, kind: "directory-replaced-by-symlink", target: node.target });
    }
    this.#unlink(path, lower);
    return true;
  }

  #unlink(path: string, node: TreeNode): void {
    if (node.type === "file" && node.linkGroup !== undefined) this.#names.get(node.linkGroup)?.delete(path);
    this.tree.delete(path);
    this.#count(path, -1);
  }

  #count(path: string, change: number): void {
    const parent = parentOf(path) ?? "";
    this.#children.set(parent, (this.#children.get(parent) ?? 0) + change);
  }

  #set(path: string, node: TreeNode): void {
    if (!this.tree.has(path)) this.#count(path, 1);
    this.tree.set(path, node);
  }

  #write(path: string, node: TreeNode, place: Place, links: Map<string, string>): void {
    const lower = this.tree.get(path);
    if (node.type === "file") {
      this.#writeFile(path, node, place, links);
      return;
    }
    if (lower?.type === "directory" && node.type === "directory") {
      const [from, to] = [ownerOf(lower), ownerOf(node)];
      const same = from.mode === to.mode && from.uid === to.uid && from.gid === to.gid;
      if (!same) this.problems.push({ ...place, kind: "directory-changed", from, to });
    }
    if (lower !== undefined && "major" in lower && "major" in node) {
      // mknod fails on an existing node; only its mode and owner change.
      if (lower.major !== node.major || lower.minor !== node.minor) {
        this.problems.push({ ...place, kind: "device-kept" });
      }
      this.#set(path, { ...node, major: lower.major, minor: lower.minor });
      return;
    }
    this.#set(path, node);
  }

  #writeFile(
    path: string,
    node: TreeNode & { type: "file" },
    place: Place,
    links: Map<string, string>,
  ): void {
    const lower = this.tree.get(path);
    const first = node.linkGroup === undefined ? undefined : links.get(node.linkGroup);
    if (first !== undefined) {
      // A further name: linked to the first one; what was there is removed (kernel 5.0 and later).
      if (lower !== undefined) {
        this.problems.push({ ...place, kind: "hard-link-over-file" });
        this.#unlink(path, lower);
      }
      const head = this.tree.get(first);
      const group = head?.type === "file" ? head.linkGroup : undefined;
      this.#join(path, node, group ?? `${place.layer}:${node.linkGroup}`);
      return;
    }
    if (node.linkGroup !== undefined) links.set(node.linkGroup, path);
    const lowerGroup = lower?.type === "file" ? lower.linkGroup : undefined;
    const names = lowerGroup === undefined ? undefined : this.#names.get(lowerGroup);
    if (lowerGroup !== undefined && names !== undefined && names.size > 1) {
      // The file itself is opened and truncated, whatever its other names are.
      const otherNames = [...names].filter((name) => name !== path);
      this.problems.push({ ...place, kind: "hard-link-truncated", otherNames });
      for (const name of names) this.tree.set(name, { ...node, linkGroup: lowerGroup });
    } else if (node.linkGroup !== undefined) this.#join(path, node, `${place.layer}:${node.linkGroup}`);
    else this.#set(path, node);
  }

  #join(path: string, node: TreeNode & { type: "file" }, linkGroup: string): void {
    const names = this.#names.get(linkGroup) ?? new Set();
    this.#names.set(linkGroup, names.add(path));
    this.#set(path, { ...node, linkGroup });
  }
}
