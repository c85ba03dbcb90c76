/** Failures of the system below: disks that are full, files that may not be read or written, command lines that are too long. */
import { accessSync, constants } from "node:fs";
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
  if (code === "EACCES" || code === "EPERM") {
    const unread = unreadablePlace(error);
    if (unread !== undefined) {
      return new UserError(`a ${unread.what} cannot be read (permission denied)`, {
        code: "not-readable",
        where: displayPath(workspace, unread.path),
        hint: `make it readable for you, or build as its owner: ls -ld shows owner and mode`,
        cause: error,
      });
    }
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

/** Calls that only look, whatever they are given. */
const looking = ["scandir", "opendir", "read", "readlink", "stat", "lstat", "statx"];

/** The place that could not be read; undefined where it was writing that failed. */
function unreadablePlace(error: unknown): { readonly what: string; readonly path: string } | undefined {
  if (!(error instanceof Error) || !("path" in error) || typeof error.path !== "string") return undefined;
  const { path } = error;
  const call = "syscall" in error ? error.syscall : undefined;
  if (call === "scandir" || call === "opendir") return { what: "folder", path };
  if (typeof call === "string" && looking.includes(call)) return { what: "file", path };
  // Opening and copying both read and write: whether this file can be read decides.
  if (call !== "open" && call !== "copyfile") return undefined;
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (denied) {
    return systemErrorCode(denied) === "EACCES" ? { what: "file", path } : undefined;
  }
}

/** The path that the system call was about; of a renaming the place that something was to get. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("dest" in error && typeof error.dest === "string") return error.dest;
  return "path" in error && typeof error.path === "string" ? error.path : undefined;
}
