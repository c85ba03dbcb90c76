/** The extensions of a recipe: what it builds or packs again, with the project's own files over it, split into parts. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { type FileTree, noLimits, readSquashfsTree } from "../../src/formats/index.ts";
import { undated } from "../settings/undated.ts";
import { finishTree, readTree } from "./directory-extension.ts";
import type { Recipe } from "./recipe.ts";
import { buildRecipe, type RecipeContext, type RecipeRequest } from "./recipe-build.ts";
import { splitTree } from "./split.ts";
import { scriptsDirectory } from "./tree-rules.ts";

interface PartsRequest extends RecipeRequest {
  /** File name of the main part, with the kernel's release. */
  readonly name: string;
  /** Absolute path of the extension that is packed again. */
  readonly upstream: string | undefined;
}

/** The tree of each part by its name, and what was corrected. */
export interface RecipeParts {
  readonly parts: ReadonlyMap<string, FileTree>;
  readonly notes: readonly string[];
}

/**
 * Makes the parts of a recipe.
 * @throws UserError `recipe`, `own-extension`, `owners`, `build-namespace`
 */
export async function makeParts(request: PartsRequest, context: RecipeContext): Promise<RecipeParts> {
  const { recipe, home, shown, name, upstream, core } = request;
  const removed: string[] = [];
  const tree =
    upstream === undefined
      ? await buildRecipe(request, context)
      : await repack(upstream, recipe, name, removed);
  for (const [entry, node] of await readTree(home, undated)) {
    const there = tree.get(entry);
    if (node.type !== "directory" || there?.type !== "directory") tree.set(entry, node);
  }
  const extension = { directory: home, shown, name, mtime: undated, core: core.read };
  const corrected = await finishTree(tree, extension, { keepsSetId: upstream !== undefined });
  const { parts, notes } = await splitTree(tree, recipe);
  const told = [...removed, ...notes].map((sentence) => `${shown}/recipe.yaml: ${sentence}`);
  return { parts, notes: [...corrected, ...told] };
}

/** The upstream extension's tree without what the recipe removes, its script under the new name. */
async function repack(
  file: string,
  { from = "", remove }: Recipe,
  name: string,
  notes: string[],
): Promise<FileTree> {
  const { size } = await stat(file);
  const tree = await readSquashfsTree({ path: file, offset: 0, size }, { limits: noLimits, label: from });
  const { default: picomatch } = await import("picomatch");
  for (const pattern of remove) {
    const matches = picomatch(pattern.replace(/^\//, ""), { dot: true });
    const found = tree.paths().filter((entry) => matches(entry));
    if (found.length === 0) notes.push(`${from} has nothing that matches ${pattern}`);
    for (const entry of found) for (const one of [entry, ...tree.below(entry)]) tree.delete(one);
  }
  const [old, now] = [from, name].map((one) => `${scriptsDirectory}/${path.basename(one, ".tcz")}`);
  const script = tree.get(old ?? "");
  if (script !== undefined && old !== undefined && now !== undefined && old !== now) {
    tree.delete(old);
    tree.set(now, script);
  }
  return tree;
}
