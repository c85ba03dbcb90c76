/**
 * The sizes of an image as a tree: layers, in them extensions and directories, and files. Each file has its bytes before
 * compression, and what they take in the image: in an archive by the packer's progress, in an extension by its share of the file.
 */
import path from "node:path";
import {
  contentSize,
  type FileContent,
  type FileTree,
  printName,
  readInitrd,
  readIsoTree,
  readSquashfsTree,
  streamContent,
  type UnpackLimits,
  writeDigested,
} from "../../src/formats/index.ts";
import { findBootFiles, type Image } from "../../src/inspection/index.ts";
import type { SizeNode } from "../../src/report/index.ts";
import { packedAt } from "./size-report.ts";

/** A tree that grows: names of files and directories at each level. */
class Branch {
  readonly #name: string;
  readonly #children = new Map<string, Branch>();
  #before = 0;
  #after = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(names: readonly string[], before: number, after: number): void {
    this.#before += before;
    this.#after += after;
    const [first, ...rest] = names;
    if (first === undefined) return;
    const child = this.#children.get(first) ?? new Branch(printName(first));
    this.#children.set(first, child);
    child.add(rest, before, after);
  }

  get size(): number {
    return this.#after;
  }

  node(): SizeNode {
    const children = [...this.#children.values()].map((child) => child.node());
    return { name: this.#name, before: this.#before, after: this.#after, children };
  }
}

interface SizeTreeOptions {
  /** Absolute path of an empty directory for unpacked archives. */
  readonly scratch: string;
  readonly limits: UnpackLimits;
}

/** The sizes in the ISO at `iso` (absolute), whose file has so many bytes. */
export async function isoSizes(iso: string, bytes: number, options: SizeTreeOptions): Promise<SizeNode> {
  const root = new Branch(path.basename(iso));
  const tree = await readIsoTree(iso, options.limits);
  const initrds = new Set((await findBootFiles(tree))?.initrds);
  for (const [name, node] of tree) {
    if (node.type !== "file") continue;
    if (initrds.has(name)) await addInitrd(root, node.content, name, options);
    else {
      const size = contentSize(node.content);
      root.add(["beside the initrd", ...name.split("/")], size, size);
    }
  }
  root.add(["beside the initrd", "structure and gaps"], 0, Math.max(0, bytes - root.size));
  return root.node();
}

/** The sizes of an image of another kind: of what is packed in it, only the contents' own sizes are known. */
export function imageSizes({ layers }: Image, name: string): SizeNode {
  const root = new Branch(name);
  for (const layer of layers)
    for (const [at, node] of layer.tree)
      if (node.type === "file") {
        const size = contentSize(node.content);
        root.add([layer.name, ...at.split("/")], size, size);
      }
  return root.node();
}

async function addInitrd(
  root: Branch,
  content: FileContent,
  name: string,
  { scratch, limits }: SizeTreeOptions,
): Promise<void> {
  const place = path.join(scratch, name.replaceAll("/", "_"));
  await writeDigested(place, streamContent(content));
  const members = await readInitrd(place, { spoolDir: `${place}.members`, limits, name });
  for (const [index, member] of members.entries()) {
    const layer = `layer ${index + 1}${nameOf(member.tree)}`;
    for (const [at, node] of member.tree) {
      if (node.type !== "file") continue;
      const [start, size] = stretchOf(node.content);
      const after = packedAt(member, start + size) - packedAt(member, start);
      const inside = at.endsWith(".tcz") ? await filesInside(node.content, at, limits) : [];
      const whole = inside.reduce((sum, file) => sum + file.size, 0);
      if (whole === 0) root.add([layer, ...directoryAndName(at)], size, after);
      else
        for (const file of inside)
          root.add([layer, baseName(at), ...file.path.split("/")], file.size, (after * file.size) / whole);
    }
  }
}

/** What a layer is, by its largest file. */
function nameOf(tree: FileTree): string {
  let [largest, size] = ["", -1];
  for (const [at, node] of tree)
    if (node.type === "file" && contentSize(node.content) > size)
      [largest, size] = [at, contentSize(node.content)];
  return size < 0 ? "" : `, with ${printName(baseName(largest))}`;
}

/** The directory as one part of its own, and the names in it. */
function directoryAndName(at: string): readonly string[] {
  const names = at.split("/");
  const directory = names.slice(0, Math.min(2, names.length - 1)).join("/");
  return directory === "" ? names : [directory, ...names.slice(Math.min(2, names.length - 1))];
}

function stretchOf(content: FileContent): readonly [offset: number, size: number] {
  return content.kind === "file" ? [content.offset, content.size] : [0, contentSize(content)];
}

/** The files of an extension; none of one that cannot be read. */
async function filesInside(
  content: FileContent,
  label: string,
  limits: UnpackLimits,
): Promise<readonly { readonly path: string; readonly size: number }[]> {
  if (content.kind !== "file") return [];
  const tree = await readSquashfsTree(content, { limits, label }).catch(() => undefined);
  if (tree === undefined) return [];
  return [...tree].flatMap(([at, node]) =>
    node.type === "file" ? [{ path: at, size: contentSize(node.content) }] : [],
  );
}

function baseName(at: string): string {
  return at.slice(at.lastIndexOf("/") + 1);
}
