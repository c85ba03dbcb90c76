/** Where a program's name leads in the PATH that host commands are given. It runs none. */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { toolEnvironment } from "./tool-environment.ts";

export interface ToolSearch {
  /** The first executable file of that name, absolute, links not resolved; undefined when there is none. */
  readonly file: string | undefined;
  /** The folders that were searched, absolute, in their order. */
  readonly folders: readonly string[];
}

/** The first executable file of that name in folders (absolute). */
export function fileIn(folders: readonly string[], tool: string): string | undefined {
  const folder = folders.find((one) => isExecutableFile(path.join(one, tool)));
  return folder === undefined ? undefined : path.join(folder, tool);
}

export function searchTool(tool: string): ToolSearch {
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
