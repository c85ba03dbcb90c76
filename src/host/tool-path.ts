/** Where a program's name leads in the PATH that host commands are given. It runs none. */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { toolEnvironment } from "./tool-environment.ts";

export interface ToolSearch {
  /** The first executable file of that name, absolute, links not resolved; undefined when there is none. */
  readonly file: string | undefined;
  /** The directories that were searched, absolute, in their order. */
  readonly directories: readonly string[];
}

/** The first executable file of that name in directories (absolute). */
export function fileIn(directories: readonly string[], tool: string): string | undefined {
  const directory = directories.find((one) => isExecutableFile(path.join(one, tool)));
  return directory === undefined ? undefined : path.join(directory, tool);
}

export function searchTool(tool: string): ToolSearch {
  const directories = (toolEnvironment().PATH ?? "").split(":").filter((directory) => directory !== "");
  const index = directories.findIndex((directory) => isExecutableFile(path.join(directory, tool)));
  const directory = directories[index];
  if (directory === undefined) return { file: undefined, directories };
  return { file: path.join(directory, tool), directories: directories.slice(0, index + 1) };
}

function isExecutableFile(candidate: string): boolean {
  try {
    accessSync(candidate, constants.X_OK);
    return statSync(candidate).isFile();
  } catch {
    return false;
  }
}
