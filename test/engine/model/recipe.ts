/**
 * Random tasks: what each reads and makes, as a pure function that both the running task and the model call.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { encodeTree, fileNode, type Tree, type TreeNode } from "./tree.ts";

export type SlotKind = "file" | "directory" | "artifact" | "variant-artifact";

export interface Recipe {
  readonly name: string;
  /** Indices of earlier recipes; `onlyIn` makes the need conditional. */
  readonly needs: readonly { readonly index: number; readonly onlyIn: string | undefined }[];
  readonly shared: boolean;
  readonly layout: "pattern" | "root" | "braces";
  readonly common:
    | { readonly name: string; readonly how: "needed" | "optional" | "first letter" }
    | undefined;
  readonly parameter: string | undefined;
  readonly secret: boolean;
  readonly env: boolean;
  readonly slots: readonly SlotKind[];
  /** Forgets most of what it read, so that different inputs give the same outputs. */
  readonly blurred: boolean;
}

/** Everything a task may look at. */
export interface Seen {
  readonly own: Tree;
  readonly common: string | undefined;
  readonly parameter: string | undefined;
  readonly secret: string | undefined;
  readonly env: string | undefined;
  readonly variant: string | undefined;
  /** The source that the task was compiled from. */
  readonly code: string;
  readonly needs: Readonly<Record<string, readonly Tree[] | undefined>>;
}

export const variants = ["dev", "prod"] as const;
export const parameterNames = ["p0", "p1", "p2"] as const;
export const commonNames = ["a", "b"] as const;

export function encodeSeen(seen: Seen): string {
  const needs = Object.entries(seen.needs).map(([name, trees]) => [name, trees?.map(encodeTree) ?? null]);
  return JSON.stringify({ ...seen, own: encodeTree(seen.own), needs });
}

/** The outputs of a recipe, one tree for each slot. */
export function evaluate(recipe: Recipe, seen: Seen): readonly Tree[] {
  const text = encodeSeen(seen);
  const word = recipe.blurred
    ? `${recipe.name} ${text.length % 3}`
    : `${recipe.name} ${createHash("sha256").update(text).digest("hex")}`;
  const executable = [...seen.own.values()].some((node) => node.kind === "file" && node.executable);
  return recipe.slots.map((kind): Tree => {
    if (kind !== "directory") return new Map([["", fileNode(word, executable)]]);
    const tree = new Map<string, TreeNode>([
      ["", { kind: "directory" }],
      ["empty", { kind: "directory" }],
      ["latest", { kind: "link", target: "word" }],
      ["word", fileNode(word, executable)],
    ]);
    for (const [name, node] of seen.own) {
      for (let directory = path.dirname(name); directory !== "."; directory = path.dirname(directory))
        tree.set(`own/${directory}`, { kind: "directory" });
      tree.set("own", { kind: "directory" });
      tree.set(`own/${name}`, recipe.blurred && node.kind === "file" ? fileNode("", node.executable) : node);
    }
    return tree;
  });
}

export function slotPath(recipe: Recipe, slot: number, variant: string): string {
  const name = `${recipe.name}-${slot}`;
  switch (recipe.slots[slot]) {
    case "artifact":
      return `build/${name}`;
    case "variant-artifact":
      return `build/${variant}/${name}`;
    default:
      return `.buildcache/v1/out/${recipe.shared ? "shared" : variant}/${recipe.name}/s${slot}`;
  }
}
