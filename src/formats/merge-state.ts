/**
 * Layers at the point to which they are unpacked, entry by entry.
 *
 * Rules: Linux `init/initramfs.c` (`clean_path`, `maybe_link`, `do_name`, `do_symlink`).
 */
import { followLinks } from "./links.ts";
import type { MergeProblem, Owner, Place } from "./merge-problem.ts";
import { parentOf, rootPath } from "./names.ts";
import { FileTree } from "./tree.ts";
import type { FileNode, TreeNode } from "./tree-node.ts";

const mostOtherNames = 10;

const nothing = { kind: "bytes", bytes: new Uint8Array() } as const;

export interface Merged {
  readonly tree: FileTree;
  /** By path of the tree: the indexes of the layers that wrote it, in their order; what is there is from the last of them. */
  readonly origins: ReadonlyMap<string, readonly number[]>;
  readonly problems: readonly MergeProblem[];
}

/** The names of one hard-linked file in a layer: the archive has its bytes at the last one. */
interface LinkGroup {
  /** As the layer has it, whether it could be made or not: that is what the kernel remembers. */
  readonly first: string;
  last: string;
}

function groupsOf(tree: FileTree): ReadonlyMap<string, LinkGroup> {
  const groups = new Map<string, LinkGroup>();
  for (const [path, node] of tree) {
    if (node.type !== "file" || node.linkGroup === undefined) continue;
    const known = groups.get(node.linkGroup);
    if (known === undefined) groups.set(node.linkGroup, { first: path, last: path });
    else known.last = path;
  }
  return groups;
}

const ownerOf = ({ mode, uid, gid }: TreeNode): Owner => ({ mode, uid, gid });

export class MergeState {
  /** Index of the layer whose entries are applied next, or now. */
  size = 0;
  /** Until `finish`, hard-linked files have the right type and group only. */
  #tree = new FileTree();
  #problems: MergeProblem[] = [];
  #origins = new Map<string, readonly number[]>();
  /** How many entries lie directly in a directory: only an empty one can be removed. */
  #children = new Map<string, number>();
  /** Names of one file by its group. */
  #names = new Map<string, Set<string>>();
  /** The files of link groups, each with the owner, mode and bytes that were written last under any of its names. */
  #files = new Map<string, FileNode>();
  /** The last layer that wrote a link group's file. */
  #writers = new Map<string, number>();

  copy(): MergeState {
    const copy = new MergeState();
    copy.size = this.size;
    copy.#tree = this.#tree.clone();
    copy.#problems = [...this.#problems];
    copy.#origins = new Map(this.#origins);
    copy.#children = new Map(this.#children);
    copy.#names = new Map([...this.#names].map(([group, names]) => [group, new Set(names)]));
    copy.#files = new Map(this.#files);
    copy.#writers = new Map(this.#writers);
    return copy;
  }

  /** Applies a layer. */
  add(tree: FileTree): void {
    const links = groupsOf(tree);
    for (const [path, node] of tree) {
      const group =
        node.type === "file" && node.linkGroup !== undefined ? links.get(node.linkGroup) : undefined;
      this.#apply(path, node, group);
    }
    this.size += 1;
  }

  /** Applies one entry; `group` is that of a file with several names. */
  #apply(given: string, node: TreeNode, group: LinkGroup | undefined): void {
    const place = { path: given, layer: this.size };
    const first = group === undefined || group.first === given ? undefined : group.first;
    if (this.#make(place, node, first) || group?.last !== given) return;
    const path = this.#resolve(group.first);
    const head = this.#tree.get(path);
    if (head?.type !== "file") return;
    const file = head.linkGroup === undefined ? undefined : this.#files.get(head.linkGroup);
    if (head.linkGroup === undefined || file === undefined)
      this.#tree.set(path, { ...head, content: nothing });
    else this.#files.set(head.linkGroup, { ...file, content: nothing });
  }

  /** The result, once every entry is applied. Hard-linked names are set only here, since doing so on each change would be quadratic. */
  finish(): Merged {
    for (const [group, names] of this.#names) {
      const file = this.#files.get(group);
      const writer = this.#writers.get(group);
      if (file === undefined) continue;
      for (const name of names) {
        this.#tree.set(name, file);
        if (writer !== undefined) this.#record(name, writer);
      }
    }
    return { tree: this.#tree, problems: this.#problems, origins: this.#origins };
  }

  /** The kernel opens names the ordinary way: links in the directories before the last part are followed. */
  #resolve(given: string): string {
    return followLinks(this.#tree, given, false).path || rootPath;
  }

  /** `first` is the layer's first name of a hard-linked file, at its further ones. False when nothing is made. */
  #make(place: Place, node: TreeNode, first: string | undefined): boolean {
    const path = this.#resolve(place.path);
    const parent = parentOf(path);
    if (parent !== undefined && this.#tree.get(parent)?.type !== "directory") {
      this.#problems.push({ ...place, kind: "parent-missing", parent });
      return false;
    }
    const lower = this.#tree.get(path);
    // A link is always removed first, anything else only by an entry of another type.
    if (lower !== undefined && (lower.type !== node.type || node.type === "symlink")) {
      if (!this.#clean(path, lower, node, place)) return false;
    }
    if (node.type === "file" && first !== undefined) return this.#link(path, node, place, first);
    this.#write(path, node, place);
    return true;
  }

  /** `clean_path`: true when nothing stands in the way any more. */
  #clean(path: string, lower: TreeNode, node: TreeNode, place: Place): boolean {
    if (lower.type === "directory" && (this.#children.get(path) ?? 0) > 0) {
      this.#problems.push({ ...place, kind: "lost-under-directory", type: node.type });
      // A file is opened, which fails; of all others the owner is set without asking, and of devices the mode.
      const { mode, uid, gid } = node;
      if (node.type === "symlink") this.#tree.set(path, { ...lower, uid, gid });
      else if (node.type !== "file") this.#tree.set(path, { ...lower, mode, uid, gid });
      return false;
    }
    if (lower.type === "symlink" && node.type === "directory") {
      this.#problems.push({ ...place, kind: "symlink-replaced-by-directory", target: lower.target });
    }
    if (lower.type === "directory" && node.type === "symlink") {
      this.#problems.push({ ...place, kind: "directory-replaced-by-symlink", target: node.target });
    }
    this.#unlink(path, lower);
    return true;
  }

  #unlink(path: string, node: TreeNode): void {
    if (node.type === "file" && node.linkGroup !== undefined) this.#names.get(node.linkGroup)?.delete(path);
    this.#tree.delete(path);
    this.#count(path, -1);
  }

  #count(path: string, change: number): void {
    const parent = parentOf(path) ?? "";
    this.#children.set(parent, (this.#children.get(parent) ?? 0) + change);
  }

  #set(path: string, node: TreeNode): void {
    if (!this.#tree.has(path)) this.#count(path, 1);
    this.#tree.set(path, node);
    this.#record(path, this.size);
  }

  #record(path: string, layer: number): void {
    const known = this.#origins.get(path);
    if (known === undefined) this.#origins.set(path, [layer]);
    else if ((known.at(-1) ?? 0) < layer) this.#origins.set(path, [...known, layer]);
  }

  #write(path: string, node: TreeNode, place: Place): void {
    const lower = this.#tree.get(path);
    if (node.type === "file") {
      this.#writeFile(path, node, place);
      return;
    }
    if (lower?.type === "directory" && node.type === "directory") {
      const [from, to] = [ownerOf(lower), ownerOf(node)];
      const same = from.mode === to.mode && from.uid === to.uid && from.gid === to.gid;
      if (!same) this.#problems.push({ ...place, kind: "directory-changed", from, to });
    }
    if (lower !== undefined && "major" in lower && "major" in node) {
      // mknod fails on an existing node; only its mode and owner change.
      if (lower.major !== node.major || lower.minor !== node.minor) {
        this.#problems.push({ ...place, kind: "device-kept" });
      }
      this.#set(path, { ...node, major: lower.major, minor: lower.minor });
      return;
    }
    this.#set(path, node);
  }

  /** A further name: linked to the first one; what was there is removed (kernel 5.0 and later), whether that works or not. */
  #link(path: string, node: FileNode, place: Place, first: string): boolean {
    const lower = this.#tree.get(path);
    if (lower !== undefined) {
      this.#problems.push({ ...place, kind: "hard-link-over-file" });
      this.#unlink(path, lower);
    }
    const head = this.#tree.get(this.#resolve(first));
    if (head?.type !== "file") {
      this.#problems.push({ ...place, kind: "hard-link-lost", first });
      return false;
    }
    this.#join(path, node, head.linkGroup ?? `${place.layer}:${node.linkGroup}`);
    return true;
  }

  #writeFile(path: string, node: FileNode, place: Place): void {
    const lower = this.#tree.get(path);
    const lowerGroup = lower?.type === "file" ? lower.linkGroup : undefined;
    const names = lowerGroup === undefined ? undefined : this.#names.get(lowerGroup);
    if (lowerGroup !== undefined && names !== undefined && names.size > 1) {
      // The file itself is opened and truncated, whatever its other names are.
      this.#problems.push({ ...place, kind: "hard-link-truncated", otherNames: someOthers(names, path) });
      this.#files.set(lowerGroup, { ...node, linkGroup: lowerGroup });
      this.#writers.set(lowerGroup, this.size);
      return;
    }
    // The name leaves its link group.
    names?.delete(path);
    if (node.linkGroup === undefined) this.#set(path, node);
    else this.#join(path, node, `${place.layer}:${node.linkGroup}`);
  }

  #join(path: string, node: FileNode, linkGroup: string): void {
    const names = this.#names.get(linkGroup) ?? new Set();
    this.#names.set(linkGroup, names.add(path));
    const file = { ...node, linkGroup };
    this.#files.set(linkGroup, file);
    this.#set(path, file);
  }
}

function someOthers(names: ReadonlySet<string>, path: string): readonly string[] {
  const others: string[] = [];
  for (const name of names) {
    if (name !== path) others.push(name);
    if (others.length === mostOtherNames) break;
  }
  return others;
}
