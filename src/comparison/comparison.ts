/**
 * Compares two files and what is in them, down to the lines of text files in an initrd in an ISO. It knows the formats,
 * and nothing of what an image should hold.
 */
import { UserError } from "../errors/index.ts";
import {
  compareNames,
  contentSize,
  digestContent,
  type FileContent,
  type FileTree,
  type InitrdMember,
  printName,
  type TreeNode,
} from "../formats/index.ts";
import {
  type Container,
  containerKind,
  contentOfFile,
  describeContent,
  openContainer,
  Spool,
} from "./container.ts";
import { compareContents, firstDifference, isSame } from "./content.ts";
import { type Difference, sides } from "./difference.ts";
import { compareEntries, type Links, linksOf } from "./entry.ts";

export interface ComparisonOptions {
  /** Absolute path of an empty folder for what has to be unpacked; the caller removes it. */
  readonly spoolDir: string;
  readonly signal?: AbortSignal;
}

/** Archives in archives are looked into down to this depth. */
const deepest = 6;

/**
 * All that differs between the files at `a` and `b` (absolute); nothing when their bytes are the same. ISOs, tarballs and initrds
 * are looked into, however they lie in one another.
 * @throws UserError when a file cannot be read, or is damaged
 */
export async function compareFiles(
  a: string,
  b: string,
  options: ComparisonOptions,
): Promise<readonly Difference[]> {
  const comparison = new Comparison(options);
  await comparison.files([], undefined, await contentOfFile(a), await contentOfFile(b));
  return comparison.differences;
}

class Comparison {
  readonly differences: Difference[] = [];
  readonly #spool: Spool;
  readonly #signal: AbortSignal | undefined;

  constructor({ spoolDir, signal }: ComparisonOptions) {
    this.#spool = new Spool(spoolDir);
    this.#signal = signal;
  }

  /** `name` is the path in the innermost archive; undefined for the two files themselves. */
  async files(
    within: readonly string[],
    name: string | undefined,
    a: FileContent,
    b: FileContent,
    layers?: Difference["layers"],
  ): Promise<void> {
    this.#signal?.throwIfAborted();
    if (await isSame(a, b)) return;
    const named = {
      within,
      ...(name === undefined ? {} : { name }),
      ...(layers === undefined ? {} : { layers }),
    };
    const [one, other] = [await containerKind(a), await containerKind(b)];
    if (one !== other) {
      this.differences.push({ kind: "type", ...named, a: one ?? "other file", b: other ?? "other file" });
      return;
    }
    const opened =
      one === undefined || within.length >= deepest ? undefined : await this.#open(one, a, b, name);
    if (opened === undefined) {
      this.differences.push({ kind: "content", ...named, ...(await compareContents(a, b)) });
      return;
    }
    const before = this.differences.length;
    const inside = name === undefined ? within : [...within, name];
    await this.#containers(inside, ...opened);
    if (this.differences.length > before) return;
    const at = await firstDifference(a, b);
    const [sizeA, sizeB] = [
      describeContent(a),
      `${describeContent(b)}, from byte ${at.toLocaleString("en")} on`,
    ];
    this.differences.push({ kind: "packing", ...named, a: sizeA, b: sizeB });
  }

  /** Of what lies in an archive the first bytes may deceive; then it is a file like any other. */
  async #open(
    kind: Container["kind"],
    a: FileContent,
    b: FileContent,
    name: string | undefined,
  ): Promise<readonly [Container, Container] | undefined> {
    try {
      return [await openContainer(kind, a, this.#spool), await openContainer(kind, b, this.#spool)];
    } catch (error) {
      if (name === undefined || !(error instanceof UserError)) throw error;
      return undefined;
    }
  }

  async #containers(within: readonly string[], a: Container, b: Container): Promise<void> {
    for (const field of new Set([...a.fields.keys(), ...b.fields.keys()])) {
      const [one, other] = [a.fields.get(field), b.fields.get(field)];
      if (one !== other) this.differences.push({ kind: "field", within, name: field, ...sides(one, other) });
    }
    if (a.kind !== "initrd") return await this.#trees(within, a.tree, b.tree);
    await this.#layers(within, a, b);
    const reported = new Set<string>();
    const from = this.differences.length;
    await this.#trees(within, a.tree, b.tree, [layersOf(a.members), layersOf(b.members)]);
    for (const { kind, name } of this.differences.slice(from)) reported.add(`${kind} ${name}`);
    if (a.members.length !== b.members.length) return;
    // What a later layer hides is in no merged tree.
    for (const [index, member] of a.members.entries()) {
      const other = b.members[index];
      if (other === undefined) continue;
      const hidden = new Comparison({ spoolDir: this.#spool.place() });
      await hidden.#shallow(within, member.tree, other.tree, index + 1);
      for (const difference of hidden.differences) {
        if (!reported.has(`${difference.kind} ${difference.name}`)) this.differences.push(difference);
      }
    }
  }

  /** How many archives there are, and which of them have other bytes. */
  async #layers(within: readonly string[], a: Container, b: Container): Promise<void> {
    const [one, other] = [a.members.length, b.members.length];
    if (one !== other) {
      this.differences.push({ kind: "layers", within, a: `${one}`, b: `${other}` });
      return;
    }
    for (const [index, member] of a.members.entries()) {
      const counterpart = b.members[index];
      if (counterpart === undefined) continue;
      const [inA, inB] = [stretch(a.file, member), stretch(b.file, counterpart)];
      if (await isSame(inA, inB)) continue;
      const say = (content: FileContent, { compression }: InitrdMember) =>
        `${describeContent(content)}, ${compression === "none" ? "not compressed" : compression}`;
      this.differences.push({
        ...{ kind: "layer", within, name: `layer ${index + 1} of ${one}` },
        ...{ a: say(inA, member), b: say(inB, counterpart) },
      });
    }
  }

  async #trees(
    within: readonly string[],
    a: FileTree,
    b: FileTree,
    layers?: readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>],
  ): Promise<void> {
    const [linksA, linksB] = [linksOf(a), linksOf(b)];
    for (const path of unionOf(a, b)) {
      this.#signal?.throwIfAborted();
      const [one, other] = [a.get(path), b.get(path)];
      const places = layers === undefined ? undefined : sides(layers[0].get(path), layers[1].get(path));
      this.#entry(within, path, one, other, [linksA, linksB], places);
      if (one?.type !== "file" || other?.type !== "file") continue;
      await this.files(within, printName(path), one.content, other.content, places);
    }
  }

  /** As `#trees`, but contents are compared by their digests only: what is hidden is not shown in full. */
  async #shallow(within: readonly string[], a: FileTree, b: FileTree, layer: number): Promise<void> {
    const places = { a: layer, b: layer };
    const links = [linksOf(a), linksOf(b)] as const;
    for (const path of unionOf(a, b)) {
      const [one, other] = [a.get(path), b.get(path)];
      this.#entry(within, path, one, other, links, places);
      if (one?.type !== "file" || other?.type !== "file" || (await isSame(one.content, other.content)))
        continue;
      const name = printName(path);
      const [inA, inB] = [describeContent(one.content), describeContent(other.content)];
      this.differences.push({ kind: "content", within, name, a: inA, b: inB, layers: places });
    }
  }

  /** All but the content. */
  #entry(
    within: readonly string[],
    path: string,
    a: TreeNode | undefined,
    b: TreeNode | undefined,
    links: readonly [Links, Links],
    layers: Difference["layers"],
  ): void {
    for (const found of compareEntries(
      { node: a, links: links[0].get(path) },
      { node: b, links: links[1].get(path) },
    )) {
      this.differences.push({
        ...{ ...found, within, name: printName(path) },
        ...(layers === undefined ? {} : { layers }),
      });
    }
  }
}

function unionOf(a: FileTree, b: FileTree): readonly string[] {
  return [...new Set([...a.paths(), ...b.paths()])].sort(compareNames);
}

function stretch(file: string, { offset, size }: InitrdMember): FileContent {
  return { kind: "file", path: file, offset, size };
}

/** The number of the last layer with an entry of each path, from 1. */
function layersOf(members: readonly InitrdMember[]): ReadonlyMap<string, number> {
  return new Map(
    members.flatMap(({ tree }, index) => tree.paths().map((path) => [path, index + 1] as const)),
  );
}

/** The sha256 of each of the two files, for whoever wants to name them. */
export async function digestFile(file: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const content = await contentOfFile(file);
  return { size: contentSize(content), sha256: await digestContent(content) };
}
