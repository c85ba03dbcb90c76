/** Packing parts of an image as members of its initrd: how much effort each is worth, and each only once. */
import { lstatSync } from "node:fs";
import { rename } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { Chunk, Memo, ToolUse } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { FileTree, writeLayer } from "../../src/formats/index.ts";
import { installHint, mapParallel, type Shell } from "../../src/host/index.ts";
import { paddingAfter } from "./layers.ts";

/**
 * Makes gzip members within a thousandth as small as any program known, forty times as fast as those (libdeflate's level 12);
 * still not run twice for the same content.
 */
const packer = "libdeflate-gzip";

/** The packer's use for a task, by effort; `use` says whether each run packs, or only some. */
export const packerFor =
  (use: "needed" | "useful") =>
  ({ compress }: { readonly compress: string }): Readonly<Record<string, ToolUse>> => ({
    [packer]: compress === "best" ? use : "unused",
  });

/** Files that are compressed themselves: gzip takes a hundredth or two off them, and unpacking costs time at each boot. */
const compressed = /\.(tcz|gem|tgz|gz|xz|bz2|zip|png|jpg)$/;

export interface PackContext {
  readonly $: Shell;
  readonly memo: Memo;
  readonly missingTools: readonly string[];
  /** An absolute path. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * The tree in parts, by the names that `memberOf` gives its entries; each part has its parent directories. Directories without
 * entries are a part of their own.
 */
export function splitMembers(
  tree: FileTree,
  memberOf: (path: string) => string,
): ReadonlyMap<string, FileTree> {
  const members = new Map<string, FileTree>();
  const placed = new Set<string>();
  const add = (name: string, entry: string): void => {
    const member = members.get(name) ?? new FileTree();
    members.set(name, member);
    for (
      let at: string = entry;
      at !== "" && !member.has(at);
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")))
    ) {
      const node = tree.get(at);
      if (node !== undefined) member.set(at, node);
      placed.add(at);
    }
  };
  for (const [entry, node] of tree) if (node.type !== "directory") add(memberOf(entry), entry);
  for (const [entry] of tree) if (!placed.has(entry)) add("directories", entry);
  return members;
}

/** Packs each part, on all cores; the pieces of a layer, in the order of the parts. */
export async function packMembers(
  members: ReadonlyMap<string, FileTree>,
  compress: string,
  context: PackContext,
): Promise<readonly Chunk[]> {
  const files = await mapParallel(
    [...[...members.values()].entries()],
    availableParallelism(),
    ([index, tree]) => packMember(tree, compress, context, `member-${index}`),
  );
  return files.flatMap((file) => [{ file }, { bytes: Buffer.alloc(paddingAfter(lstatSync(file).size)) }]);
}

/**
 * Packs a tree as one archive and returns its absolute path. `fast`: plain where most is compressed already, else
 * gzip's cheapest level; `default`: gzip -9; `best`: libdeflate.
 */
async function packMember(
  tree: FileTree,
  compress: string,
  context: PackContext,
  name: string,
): Promise<string> {
  if (compress === "fast" && isCompressed(tree)) {
    const file = path.join(context.scratch, name);
    await writeLayer(tree, file, { level: "none", signal: context.signal });
    return file;
  }
  return await packWhole(tree, compress, context);
}

/** As `packMember`, but gzipped in any case: for a tree of which much is not compressed yet. */
export async function packWhole(tree: FileTree, compress: string, context: PackContext): Promise<string> {
  return await context.memo([await tree.digest(), compress], (file) => gzip(tree, compress, context, file));
}

async function gzip(tree: FileTree, compress: string, context: PackContext, file: string): Promise<void> {
  const { signal } = context;
  if (compress !== "best") {
    await writeLayer(tree, file, { level: compress === "fast" ? 1 : 9, signal });
    return;
  }
  const plain = `${file}.cpio`;
  await writeLayer(tree, plain, { level: "none", signal });
  await deflateBest(plain, file, context);
}

/**
 * Packs the file `plain`, which is used up, as small as it gets: one gzip member without name or time. Both paths are
 * absolute.
 * @throws UserError `tool-missing`
 */
async function deflateBest(
  plain: string,
  packed: string,
  { $, missingTools }: Pick<PackContext, "$" | "missingTools">,
): Promise<void> {
  if (missingTools.includes(packer)) {
    throw new UserError(`${packer}, which makes the smallest images, is not installed`, {
      code: "tool-missing",
      where: packer,
      hint: `${installHint(packer) ?? "install libdeflate"}, or build with --compress default`,
    });
  }
  await $`libdeflate-gzip -12 ${plain}`;
  await rename(`${plain}.gz`, packed);
}

/** Whether most of the bytes are of files that are compressed themselves. */
function isCompressed(tree: FileTree): boolean {
  let [all, done] = [0, 0];
  for (const [name, node] of tree) {
    if (node.type !== "file") continue;
    const size = node.content.kind === "bytes" ? node.content.bytes.length : node.content.size;
    all += size;
    if (compressed.test(name)) done += size;
  }
  return done * 2 > all;
}
