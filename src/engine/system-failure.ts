/** Failures of the system below: disks that are full or may not be written. */
import { systemErrorCode, UserError } from "../errors/index.ts";
import { displayPath } from "./input.ts";

/** What a full or read-only disk means for the user, instead of a system call's name. */
export function explainSystemError(error: unknown, workspace: string): unknown {
  const code = systemErrorCode(error);
  const target =
    error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
  const where = target === undefined ? {} : { where: displayPath(workspace, target) };
  if (code === "ENOSPC") {
    return new UserError("no space left on the device", {
      code: "no-space",
      ...where,
      hint: "free some space (`task clean --all` empties the cache), and start again: what was built is kept",
      cause: error,
    });
  }
  if (code === "EROFS" || code === "EACCES") {
    return new UserError(
      `a file cannot be written (${code === "EROFS" ? "read-only file system" : "permission denied"})`,
      {
        code: "not-writable",
        ...where,
        hint: "check the owner and the mode of the folder",
        cause: error,
      },
    );
  }
  return error;
}
