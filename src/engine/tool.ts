/**
 * Declared host tools: where each is in PATH. Its binary's digest stands for the tool in a fingerprint, which needs
 * no process and notices every upgrade. It knows no tool by name; the caller brings the installation hints.
 */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { toolEnvironment } from "../host/index.ts";
import type { AbsolutePath } from "./names.ts";

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
  throw new UserError(`the program "${tool}" is needed and is not installed`, {
    code: "tool-missing",
    ...(install === undefined ? {} : { hint: install }),
  });
}

/** As `findTool`, but undefined for a tool that PATH does not have. */
export function locateTool(tool: string): AbsolutePath | undefined {
  const { file } = lookFor(tool);
  return file === undefined ? undefined : (realpathSync(file) as AbsolutePath);
}

/** What decides which file a tool's name means: that file, and each folder in which it was looked for. */
export function placesOfTool(tool: string): readonly string[] {
  const { file, folders } = lookFor(tool);
  return file === undefined ? folders : [...folders, file];
}

/** The first executable file of that name, absolute, links not resolved; and the folders that were searched. */
function lookFor(tool: string): { readonly file: string | undefined; readonly folders: readonly string[] } {
  const folders = (toolEnvironment().PATH ?? "").split(":").filter((folder) => folder !== "");
  const index = folders.findIndex((folder) => isExecutableFile(path.join(folder, tool)));
  const folder = folders[index];
  if (folder === undefined) return { file: undefined, folders };
  return { file: path.join(folder, tool), folders: folders.slice(0, index + 1) };
}

function isExecutableFile(candidate: string): boolean {
  try {
    accessSync(candidate, constants.X_OK);
    return statSync(candidate).isFile();
  } catch {
    return false;
  }
}
