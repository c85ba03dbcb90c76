/** Which files a build would read: the inputs of its tasks, as they are now. */
import { resolveInputs } from "../decide/assessment.ts";
import { type AbsolutePath, pathBelow } from "../define/names.ts";
import { bind } from "./build.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";

/**
 * Absolute paths of the input files of these tasks and of all that they need, each once, in byte order. The code of tasks is
 * not among them. Throws a `UserError` for a missing input.
 */
export async function inputPaths(
  workspace: Workspace,
  request: Pick<BuildRequest, "targets" | "variant" | "values">,
): Promise<readonly AbsolutePath[]> {
  const paths = new Set<AbsolutePath>();
  for (const bound of (await bind(workspace, request)).values()) {
    for (const { declaration, root, paths: below, listing } of await resolveInputs(bound, workspace.state)) {
      // An optional file that is missing is in no listing.
      if (declaration.kind === "file" && listing.size > 0) paths.add(root);
      for (const relative of below) paths.add(pathBelow(root, relative));
    }
  }
  return [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
