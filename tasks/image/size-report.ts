/**
 * Where the bytes of an ISO are: by layer of the initrd, by extension and by directory, before and after compression. It knows
 * where an image keeps its extensions, and nothing of how it is made.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import {
  contentSize,
  type FileContent,
  type InitrdMember,
  type PackingPoint,
  printName,
  readInitrd,
  readIsoTree,
  streamContent,
  type UnpackLimits,
  writeDigested,
} from "../../src/formats/index.ts";

/** Bytes of contents, and what they take in the ISO. */
export interface SizeRow {
  readonly name: string;
  readonly files: number;
  readonly before: number;
  readonly after: number;
}

/** A layer has no name of its own: its largest file tells what it is. */
interface LayerRow extends SizeRow {
  /** A path in the image; undefined where the layer has no file. */
  readonly largest?: string;
}

export interface SizeReport {
  /** The ISO itself, and what of it is neither a file's nor the initrd's content: its structure and gaps. */
  readonly iso: { readonly bytes: number; readonly rest: number };
  /** Files of the ISO beside the initrd. */
  readonly beside: readonly SizeRow[];
  /** Archives of the initrd, in their order. */
  readonly layers: readonly LayerRow[];
  /** By name, whatever belongs to one of them; the largest first, as the directories. */
  readonly extensions: readonly SizeRow[];
  readonly directories: readonly SizeRow[];
}

const initrdNames = new Set(["boot/core.gz", "boot/corepure64.gz"]);

/** Where extensions lie, and what is beside them: `NAME.tcz`, `NAME.tcz.dep`. */
const extensionPath =
  /^tmp\/(?:builtin\/optional|tinycorelinux\/[^/]+\/[^/]+\/tcz)\/([^/]+)\.tcz(?:\.[a-z0-9.]+)?$/;

/**
 * Looks into the ISO at `iso`; `scratch`, made when missing, is for the unpacked initrd. Both absolute; `bytes` is the
 * ISO's size.
 */
export async function measureIso(
  iso: string,
  bytes: number,
  scratch: string,
  limits: UnpackLimits = {},
): Promise<SizeReport> {
  await mkdir(scratch, { recursive: true });
  const beside: SizeRow[] = [];
  const sums: InitrdSums = {
    layers: new Sums(),
    extensions: new Sums(),
    directories: new Sums(),
    largest: [],
  };
  for (const [name, node] of await readIsoTree(iso, limits)) {
    if (node.type !== "file") continue;
    const { size } = sizeOf(node.content);
    if (initrdNames.has(name))
      await addInitrd(node.content, { name: `${iso}: ${name}`, scratch, limits }, sums);
    else beside.push({ name, files: 1, before: size, after: size });
  }
  const layers = sums.layers.rows().map((row, index) => ({ ...row, ...largestOf(sums.largest[index]) }));
  const known = [...beside, ...layers].reduce((sum, { after }) => sum + after, 0);
  return {
    iso: { bytes, rest: bytes - known },
    beside: beside.sort(byAfter),
    layers,
    extensions: [...sums.extensions.rows()].sort(byAfter),
    directories: [...sums.directories.rows()].sort(byAfter),
  };
}

function byAfter(a: SizeRow, b: SizeRow): number {
  return b.after - a.after || (a.name < b.name ? -1 : 1);
}

function sizeOf(content: FileContent): { readonly offset: number; readonly size: number } {
  return content.kind === "file" ? content : { offset: 0, size: contentSize(content) };
}

class Sums {
  readonly #rows = new Map<string, SizeRow>();

  add(name: string, files: number, before: number, after: number): void {
    const row = this.#rows.get(name) ?? { name, files: 0, before: 0, after: 0 };
    this.#rows.set(name, {
      name,
      files: row.files + files,
      before: row.before + before,
      after: row.after + after,
    });
  }

  /** In the order in which their names came. */
  rows(): readonly SizeRow[] {
    return [...this.#rows.values()].map((row) => ({ ...row, after: Math.round(row.after) }));
  }
}

interface InitrdSums {
  readonly layers: Sums;
  readonly extensions: Sums;
  readonly directories: Sums;
  /** Of each layer. */
  readonly largest: (LargestFile | undefined)[];
}

interface LargestFile {
  readonly path: string;
  readonly size: number;
}

function largestOf(file: LargestFile | undefined): { readonly largest?: string } {
  return file === undefined ? {} : { largest: printName(file.path) };
}

interface InitrdPlace {
  /** What messages call the initrd. */
  readonly name: string;
  readonly scratch: string;
  readonly limits: UnpackLimits;
}

async function addInitrd(
  content: FileContent,
  { name, scratch, limits }: InitrdPlace,
  sums: InitrdSums,
): Promise<void> {
  const copy = path.join(scratch, "initrd");
  await writeDigested(copy, streamContent(content));
  const members = await readInitrd(copy, { spoolDir: path.join(scratch, "members"), limits, name });
  const offsets = new Set<number>();
  for (const [index, member] of members.entries()) {
    const layer = `layer ${index + 1}`;
    // Archives of one compressed member share its bytes; they count with the first.
    sums.layers.add(layer, 0, 0, offsets.has(member.offset) ? 0 : member.size);
    offsets.add(member.offset);
    let largest: LargestFile | undefined;
    for (const [entry, node] of member.tree) {
      if (node.type !== "file") continue;
      const { offset, size } = sizeOf(node.content);
      const after = packedAt(member, offset + size) - packedAt(member, offset);
      sums.layers.add(layer, 1, size, 0);
      if (largest === undefined || size > largest.size) largest = { path: entry, size };
      sums.directories.add(entry.split("/").slice(0, -1).slice(0, 2).join("/") || "/", 1, size, after);
      const extension = extensionPath.exec(entry)?.[1];
      if (extension !== undefined) sums.extensions.add(extension, 1, size, after);
    }
    sums.largest.push(largest);
  }
  await rm(copy);
}

/** How many bytes of the member its content takes up to this offset; between two points they are spread evenly. */
export function packedAt(
  { compression, points }: Pick<InitrdMember, "compression" | "points">,
  offset: number,
): number {
  if (compression === "none") return offset;
  let low: PackingPoint = { unpacked: 0, packed: 0 };
  // The first point at or behind the offset, by halves: there are thousands of points and of files.
  let [from, to] = [0, points.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((points[middle]?.unpacked ?? 0) < offset) from = middle + 1;
    else to = middle;
  }
  low = points[from - 1] ?? low;
  const high = points[from] ?? low;
  const span = high.unpacked - low.unpacked;
  if (span <= 0) return high.packed;
  const share = Math.min(1, (offset - low.unpacked) / span);
  return low.packed + (high.packed - low.packed) * share;
}
