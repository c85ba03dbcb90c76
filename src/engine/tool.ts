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
  for (const folder of (toolEnvironment().PATH ?? "").split(":")) {
    const candidate = path.join(folder, tool);
    if (folder !== "" && isExecutableFile(candidate)) return realpathSync(candidate) as AbsolutePath;
  }
  const install = hint(tool);
  throw new UserError(`the program "${tool}" is needed and is not installed`, {
    code: "tool-missing",
    ...(install === undefined ? {} : { hint: install }),
  });
}

function isExecutableFile(candidate: string): boolean {
  try {
    accessSync(candidate, constants.X_OK);
    return statSync(candidate).isFile();
  } catch {
    return false;
  }
}
