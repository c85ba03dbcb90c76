/**
 * Compares two files and what is in them, down to the lines of text files in an initrd in an ISO. It knows the formats,
 * and nothing of what an image should hold.
 */
import { UserError } from "../errors/index.ts";
import {
  contentSize,
  digestContent,
  type FileContent,
  type FileTree,
  type UnpackLimits,
} from "../formats/index.ts";
import {
  type Container,
  containerKind,
  contentOfFile,
  describeContent,
  openContainer,
  Spool,
} from "../inspection/index.ts";
import { ContentDigests, compareContents, firstDifference, LineBudget, placeOf } from "./content.ts";
import { type Difference, sides } from "./difference.ts";
import { compareLayers, compareMembers, lastLayers } from "./layers.ts";
import { pairsOf } from "./trees.ts";

interface ComparisonOptions {
  /** Absolute path of an empty directory for what has to be unpacked; the caller removes it. */
  readonly spoolDir: string;
  readonly signal?: AbortSignal;
  /** Limits of each archive; `maxBytes` also applies to all unpacked archives together. */
  readonly limits?: UnpackLimits;
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
  readonly #lines = new LineBudget();
  readonly #digests = new ContentDigests();
  /** Pairs of contents that were compared already: hard links refer to the same content repeatedly. */
  readonly #compared = new Set<string>();

  constructor({ spoolDir, signal, limits }: ComparisonOptions) {
    this.#spool = new Spool(spoolDir, limits);
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
    if (await this.#digests.isSame(a, b)) return;
    const named = {
      within,
      ...(name === undefined ? {} : { name }),
      ...(layers === undefined ? {} : { layers }),
    };
    const pair = JSON.stringify([placeOf(a), placeOf(b)]);
    if (a.kind === "file" && b.kind === "file" && this.#compared.has(pair)) {
      this.differences.push({ kind: "content", ...named, a: describeContent(a), b: describeContent(b) });
      return;
    }
    this.#compared.add(pair);
    const [one, other] = [await containerKind(a), await containerKind(b)];
    if (one !== other) {
      this.differences.push({ kind: "type", ...named, a: one ?? "other file", b: other ?? "other file" });
      return;
    }
    const opened =
      one === undefined || within.length >= deepest ? undefined : await this.#open(one, a, b, name);
    if (opened === undefined) {
      this.differences.push({ kind: "content", ...named, ...(await this.#contents(a, b)) });
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

  async #contents(a: FileContent, b: FileContent): Promise<Pick<Difference, "a" | "b" | "lines">> {
    return await compareContents(a, b, { lines: this.#lines, digests: this.#digests });
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
      // Each may be within its limits while all together are not.
      this.#spool.refuseFull();
      return undefined;
    }
  }

  async #containers(within: readonly string[], a: Container, b: Container): Promise<void> {
    for (const field of new Set([...a.fields.keys(), ...b.fields.keys()])) {
      const [one, other] = [a.fields.get(field), b.fields.get(field)];
      if (one !== other) this.differences.push({ kind: "field", within, name: field, ...sides(one, other) });
    }
    if (a.kind !== "initrd") return await this.#trees(within, a.tree, b.tree);
    this.differences.push(...(await compareLayers(within, a, b, this.#digests)));
    const [layersA, layersB] = [lastLayers(a.members), lastLayers(b.members)];
    const from = this.differences.length;
    await this.#trees(within, a.tree, b.tree, (path) => sides(layersA.get(path), layersB.get(path)));
    const reported = new Set(this.differences.slice(from).map(({ kind, name }) => `${kind} ${name}`));
    // What a later layer hides is in no merged tree.
    const inMembers = await compareMembers(within, a, b, this.#digests);
    for (const difference of inMembers) {
      if (!reported.has(`${difference.kind} ${difference.name}`)) this.differences.push(difference);
    }
  }

  async #trees(
    within: readonly string[],
    a: FileTree,
    b: FileTree,
    layersAt?: (path: string) => Difference["layers"],
  ): Promise<void> {
    for (const { name, differences, layers, contents } of pairsOf(within, a, b, layersAt)) {
      this.#signal?.throwIfAborted();
      this.differences.push(...differences);
      if (contents !== undefined) await this.files(within, name, ...contents, layers);
    }
  }
}

/** The sha256 of each of the two files, to name them by. */
export async function digestFile(file: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const content = await contentOfFile(file);
  return { size: contentSize(content), sha256: await digestContent(content) };
}
