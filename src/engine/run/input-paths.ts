/** Which files of the user's a build would read: the inputs of its tasks, as they are now. */
import path from "node:path";
import { resolveInputs } from "../decide/assessment.ts";
import { declaredPath } from "../define/input-path.ts";
import { type AbsolutePath, pathBelow } from "../define/names.ts";
import { bind } from "./build.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";

/**
 * Absolute paths of the input files of these tasks and of all that they need, each once, in byte order. Code is not among them, nor
 * what a task reads outside of the workspace by its own declaration: files of the machine, and of the package that has the task.
 * Throws a `UserError` for a missing input.
 */
export async function inputPaths(
  workspace: Workspace,
  request: Pick<BuildRequest, "targets" | "variant" | "values">,
): Promise<readonly AbsolutePath[]> {
  const paths = new Set<AbsolutePath>();
  for (const bound of (await bind(workspace, request)).values()) {
    for (const { declaration, root, paths: below, listing } of await resolveInputs(bound, workspace.state)) {
      const declared = declaredPath(declaration);
      const isOwn = typeof declared === "string" || declared.kind === "derived";
      if (isOwn && path.relative(workspace.state.workspace, root).startsWith("..")) continue;
      // An optional file that is missing is in no listing.
      if (declaration.kind === "file" && listing.size > 0) paths.add(root);
      for (const relative of below) paths.add(pathBelow(root, relative));
    }
  }
  return [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
