/**
 * Whether an initrd can be made of layers, and one that is a single archive instead. Where the layers come from is not known
 * here.
 */
import path from "node:path";
import {
  describeProblem,
  type FileTree,
  flattenLayers,
  LayerStack,
  mergeLayers,
  noLimits,
  readInitrd,
} from "../../src/formats/index.ts";
import { type PackContext, packWhole } from "./members.ts";

/** Layers, lowest first, with a name for each, for messages. */
export interface NamedLayers {
  readonly stack: LayerStack;
  readonly names: readonly string[];
}

/** Layers by name, lowest first, on those of `lower`. */
export function nameLayers(layers: Readonly<Record<string, FileTree>>, lower?: NamedLayers): NamedLayers {
  return {
    stack: (lower?.stack ?? new LayerStack()).with(...Object.values(layers)),
    names: [...(lower?.names ?? []), ...Object.keys(layers)],
  };
}

/**
 * The kernel applies layer after layer, lowest first, with traps for the unwary. One sentence about the first place where the
 * image would not be what it seems; undefined where there is none.
 */
export function findConflict({ stack, names }: NamedLayers): string | undefined {
  const { problems } = stack.merged();
  // A directory of ours that has a mode by rule (such as /tmp) may well change what Core had.
  const [first, ...others] = problems.filter((problem) => problem.kind !== "directory-changed");
  if (first === undefined) return undefined;
  const sentence = describeProblem(first, (layer) => names[layer] ?? "");
  return others.length === 0 ? sentence : `${sentence}, and ${others.length} more like this`;
}

/** What a build says when it does without layers, though they were not switched off. */
export function describeFallback(conflict: string): string {
  return `the initrd becomes a single archive, which every edit packs again: ${conflict}`;
}

/**
 * Packs Core's initrd and the layers on it, files of one or more archives each, as one archive without the paths of `removed`; returns
 * its absolute path. All paths of files are absolute.
 */
export async function packSingle(
  core: string,
  layers: readonly string[],
  { compress, removed }: { readonly compress: string; readonly removed: readonly string[] },
  context: PackContext,
): Promise<string> {
  const read = async (file: string, name: string): Promise<readonly FileTree[]> => {
    const members = await readInitrd(file, { spoolDir: path.join(context.scratch, name), limits: noLimits });
    return members.map((member) => member.tree);
  };
  // What Core's own archives do to one another is as upstream has it.
  const trees = [mergeLayers(await read(core, "core-members")).tree];
  for (const [index, layer] of layers.entries()) trees.push(...(await read(layer, `members-${index}`)));
  const whole = flattenLayers(trees);
  // Children first; a directory stays where an upper layer has put something into it.
  for (const name of removed.toSorted().reverse())
    if (whole.get(name)?.type !== "directory" || whole.below(name).length === 0) whole.delete(name);
  return await packWhole(whole, compress, context);
}
