/** What would go wrong on the booted machine, as far as a part of the image tells, before the image is built of it. */
import { UserError } from "../../src/errors/index.ts";
import { type FileTree, printName } from "../../src/formats/index.ts";
import { bootCodeFaults, scriptFaults } from "../../src/inspection/index.ts";

/** Paths that a message names. */
const shownPaths = 5;

/**
 * Notes the doubtful scripts of the files in a directory, which messages call `directory`.
 * @throws UserError `image-fault` for those that certainly do not run
 */
export async function checkScripts(
  tree: FileTree,
  directory: string,
  note: (message: string) => void,
): Promise<void> {
  const faults = await scriptFaults(tree, { interpreters: false });
  const error = faults.find(({ severity }) => severity === "error");
  if (error !== undefined)
    throw new UserError(error.message, {
      code: "image-fault",
      where: shown(error.paths, directory),
      hint: error.hint,
    });
  for (const { message, hint, paths } of faults) note(`${shown(paths, directory)}: ${message}; ${hint}`);
}

/** Notes boot codes that Core reads as others, does not know, or lacks the files for; `tree` has the paths of the image. */
export function checkBootCodes(
  codes: readonly string[],
  tree: FileTree,
  note: (message: string) => void,
): void {
  // An extension outside of the initrd may bring what a code needs: no fault is certain.
  for (const { message, hint } of bootCodeFaults(codes, tree)) note(`${message}; ${hint}`);
}

/** Paths as messages show them, the first few. */
function shown(paths: readonly string[], directory: string): string {
  return paths
    .slice(0, shownPaths)
    .map((one) => `${directory}/${printName(one)}`)
    .join(", ");
}
