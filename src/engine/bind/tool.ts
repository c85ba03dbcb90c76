/**
 * Declared host tools: where each is in PATH. Its binary's digest stands for the tool in a fingerprint, which needs
 * no process and notices every upgrade. It knows no tool by name; the caller brings the installation hints.
 */
import { UserError } from "../../errors/index.ts";
import { searchTool } from "../../host/index.ts";
import type { AbsolutePath } from "../define/names.ts";
import { realPath } from "../files/link-path.ts";

/** One sentence on how a tool is installed, or undefined when nothing is known of it. */
export type ToolHint = (tool: string) => string | undefined;

/**
 * Absolute path of the executable file behind a tool's name, links resolved.
 * Throws `UserError` (`tool-missing`) when PATH has none.
 */
export function findTool(tool: string, hint: ToolHint): AbsolutePath {
  const found = locateTool(tool);
  if (found !== undefined) return found;
  const install = hint(tool);
  throw new UserError(`the required program "${tool}" is not installed`, {
    code: "tool-missing",
    ...(install === undefined ? {} : { hint: install }),
  });
}

/** As `findTool`, but undefined for a tool that PATH does not have. */
export function locateTool(tool: string): AbsolutePath | undefined {
  const { file } = searchTool(tool);
  return file === undefined ? undefined : realPath(file);
}

/** What decides which file a tool's name means: that file, and each directory in which it was looked for. */
export function placesOfTool(tool: string): readonly string[] {
  const { file, directories } = searchTool(tool);
  return file === undefined ? directories : [...directories, file];
}
