/** The files that a recipe installs, split into the parts that become extensions. */
import { FileTree, parentOf, printName } from "../../src/formats/index.ts";
import type { Recipe } from "./recipe.ts";

/** The part that has the recipe's own name. */
export const mainPart = "main";

/** Names of the parts, the main one first. */
export function partsOf({ split }: Pick<Recipe, "split">): readonly string[] {
  return [mainPart, ...[...split.keys()].filter((part) => part !== mainPart)];
}

/**
 * The part of the tree that belongs to each name of `partsOf`. Without patterns of its own the main part has what no other one has.
 * @throws UserError `recipe` for a file that is in no part, or in two
 */
export async function splitTree(
  tree: FileTree,
  { split, error }: Pick<Recipe, "split" | "error">,
): Promise<{ readonly parts: ReadonlyMap<string, FileTree>; readonly notes: readonly string[] }> {
  const { default: picomatch } = await import("picomatch");
  const rules = [...split].flatMap(([part, patterns]) =>
    patterns.map((pattern) => ({
      part,
      pattern,
      matches: picomatch(pattern.replace(/^\//, ""), { dot: true }),
    })),
  );
  const parts = new Map(partsOf({ split }).map((part) => [part, new FileTree()]));
  const used = new Set<string>();
  for (const [entry, node] of tree) {
    if (node.type === "directory") continue;
    const found = rules.filter(({ matches }) => matches(entry) || above(entry).some((one) => matches(one)));
    for (const { pattern } of found) used.add(pattern);
    const owners = [...new Set(found.map(({ part }) => part))];
    if (owners.length > 1)
      throw error(
        ["split", owners[1] ?? ""],
        `${printName(entry)} is in the parts ${owners.join(" and ")}`,
        "narrow one of the patterns",
      );
    const [owner = split.has(mainPart) ? undefined : mainPart] = owners;
    if (owner === undefined)
      throw error(
        ["split"],
        `${printName(entry)} is in no part`,
        "add a pattern for it, or remove the part main, which then gets the rest",
      );
    parts.get(owner)?.set(entry, node);
  }
  for (const part of parts.values()) addDirectories(part, tree);
  return {
    parts,
    notes: rules
      .filter(({ pattern }) => !used.has(pattern))
      .map(({ part, pattern }) => `the pattern ${pattern} of the part ${part} matches nothing`),
  };
}

/** The directories in which a path lies. */
function above(entry: string): readonly string[] {
  const found: string[] = [];
  for (let at = parentOf(entry); at !== undefined; at = parentOf(at)) found.push(at);
  return found;
}

function addDirectories(part: FileTree, tree: FileTree): void {
  for (const entry of [...part.paths()])
    for (const directory of above(entry)) {
      const node = tree.get(directory);
      if (node !== undefined) part.set(directory, node);
    }
}
