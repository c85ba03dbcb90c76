/**
 * Where a layer of an initrd does not do on lower ones what it seems to. How that is found is not known here, nor what anybody does
 * about it.
 */
import { printName } from "./names.ts";
import type { Metadata, TreeNode } from "./tree-node.ts";

/** A problem's own entry. */
export interface Place {
  readonly path: string;
  /** Index of the layer whose entry has the problem. */
  readonly layer: number;
}

/** `otherNames` are ten at most. Modes are the 12 bits; `from` is what lower layers made, `to` what this layer makes. */
export type MergeProblem =
  | (Place & { readonly kind: "hard-link-truncated"; readonly otherNames: readonly string[] })
  | (Place & { readonly kind: "symlink-replaced-by-directory"; readonly target: string })
  | (Place & { readonly kind: "directory-replaced-by-symlink"; readonly target: string })
  | (Place & { readonly kind: "lost-under-directory"; readonly type: TreeNode["type"] })
  | (Place & { readonly kind: "directory-changed"; readonly from: Owner; readonly to: Owner })
  | (Place & { readonly kind: "hard-link-over-file" })
  | (Place & { readonly kind: "hard-link-lost"; readonly first: string })
  | (Place & { readonly kind: "device-kept" })
  | (Place & { readonly kind: "parent-missing"; readonly parent: string });

/** What a directory can be changed in. */
export type Owner = Omit<Metadata, "mtime">;

/** A problem as one sentence. `layerName` names a layer by its index. */
export function describeProblem(
  problem: MergeProblem,
  layerName: (layer: number) => string = (layer) => `layer ${layer}`,
): string {
  const place = `${printName(problem.path)} of ${layerName(problem.layer)}`;
  switch (problem.kind) {
    case "hard-link-truncated":
      return `${place} overwrites a hard-linked file and so also ${problem.otherNames.map(printName).join(", ")}`;
    case "symlink-replaced-by-directory":
      return `${place} is a directory and replaces the link to ${printName(problem.target)} of a lower layer`;
    case "directory-replaced-by-symlink":
      return `${place} is a link to ${printName(problem.target)} and replaces the directory of a lower layer`;
    case "lost-under-directory":
      return `${place} is lost: a lower layer has a directory there that is not empty`;
    case "directory-changed":
      return `${place} changes the directory from ${printOwner(problem.from)} to ${printOwner(problem.to)}`;
    case "hard-link-over-file":
      return `${place} is a hard link over an existing file; kernels before 5.0 lose it`;
    case "hard-link-lost":
      return `${place} is lost: it is a hard link to ${printName(problem.first)}, which is lost`;
    case "device-kept":
      return `${place} does not replace the device of a lower layer`;
    case "parent-missing":
      return `${place} is lost: the directory ${printName(problem.parent)} does not exist`;
  }
}

function printOwner({ mode, uid, gid }: Owner): string {
  return `${mode.toString(8).padStart(4, "0")} ${uid}:${gid}`;
}
