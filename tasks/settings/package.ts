/**
 * Where the files are that come with the pipeline itself: in its own checkout they stand where they are used, in another
 * project they are in the installed package. Which of them is built it does not know.
 */
import path from "node:path";

/** Set when the program is compiled: the package's directory, relative to the workspace; empty when they are the same. */
declare const PACKAGE_DIRECTORY: string | undefined;

/** Path, relative to the workspace, of a file or directory of the package. */
export function ofPackage(name: string): string {
  return path.join(typeof PACKAGE_DIRECTORY === "string" ? PACKAGE_DIRECTORY : "", name);
}
