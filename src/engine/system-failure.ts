/** Failures of the system below: disks that are full or may not be written, command lines that are too long. */
import { systemErrorCode, UserError } from "../errors/index.ts";
import { displayPath } from "./input.ts";

/** What a full or read-only disk means for the user, instead of a system call's name. */
export function explainSystemError(error: unknown, workspace: string): unknown {
  const code = systemErrorCode(error);
  const target = placeOf(error);
  const where = target === undefined ? {} : { where: displayPath(workspace, target) };
  if (code === "ENOSPC") {
    return new UserError("no space left on the device", {
      code: "no-space",
      ...where,
      hint: "free some space (`task clean --all` empties the cache), and start again: what was built is kept",
      cause: error,
    });
  }
  if (code === "E2BIG") {
    return new UserError("a command line is longer than the system allows", {
      code: "command-too-long",
      hint: "pass the names through a file or a pipe, as `xargs` and `cpio` read them, or let the shell find them",
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

/** The path that the system call was about; of a renaming the place that something was to get. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("dest" in error && typeof error.dest === "string") return error.dest;
  return "path" in error && typeof error.path === "string" ? error.path : undefined;
}
