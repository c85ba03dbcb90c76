/** Explains errors of system calls: full disks, missing permissions, command lines that are too long. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import { cacheDirectory, displayPath } from "../define/names.ts";

/** Maps a path in a staging directory to the final path that a user knows (both absolute); undefined for other paths. */
export type KnownPlace = (staged: string) => string | undefined;

/** What a full or read-only disk means for the user, instead of a system call's name. */
export function explainSystemError(
  error: unknown,
  workspace: string,
  known: KnownPlace = () => undefined,
): unknown {
  const failure = failureIn(error);
  const code = systemErrorCode(failure);
  const target = placeOf(failure, workspace, known);
  const where = target === undefined ? {} : { where: displayPath(workspace, target) };
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new UserError(code === "ENOSPC" ? "no space left on the device" : "the disk quota is exceeded", {
      code: "no-space",
      ...where,
      hint: "free disk space (`task clean --all` empties the cache) and run the build again: earlier results are kept",
      cause: error,
    });
  }
  if (code === "E2BIG") {
    return new UserError("a command line is longer than the system allows", {
      code: "command-too-long",
      hint: "pass the names through a file or a pipe, as `xargs` and `cpio` read them, or let the shell expand a pattern",
      cause: error,
    });
  }
  const why = reasons[code ?? ""];
  // A program that cannot be started is a failure of another kind.
  if (why === undefined || syscallOf(failure)?.startsWith("spawn")) return error;
  if (code !== "EROFS" && isRead(failure)) {
    return new UserError(`a file cannot be read (${why})`, {
      code: "not-readable",
      ...where,
      hint: "check the owner and mode of the file and of the directories above it",
      cause: error,
    });
  }
  return new UserError(`a file cannot be written (${why})`, {
    code: "not-writable",
    ...where,
    hint: "check the owner and mode of the directory",
    cause: error,
  });
}

const reasons: Readonly<Record<string, string>> = {
  EROFS: "read-only file system",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
};

/** The system error, which is the cause of zx's error when a command cannot be started. */
function failureIn(error: unknown): unknown {
  if (systemErrorCode(error) !== undefined || !(error instanceof Error)) return error;
  return systemErrorCode(error.cause) === undefined ? error : error.cause;
}

function syscallOf(error: unknown): string | undefined {
  if (!(error instanceof Error && "syscall" in error)) return undefined;
  return typeof error.syscall === "string" ? error.syscall : undefined;
}

const readingCalls = ["scandir", "opendir", "read", "stat", "lstat", "readlink", "access", "realpath"];

/** Whether reading failed. For open(2) and copies Node does not say which: it was reading if the source is not readable. */
function isRead(error: unknown): boolean {
  const call = syscallOf(error) ?? "";
  if (readingCalls.includes(call)) return true;
  const source = pathIn(error, "path");
  if (source === undefined || !["open", "copyfile"].includes(call)) return false;
  try {
    accessSync(source, constants.R_OK);
    return false;
  } catch (denied) {
    // A missing file was to be created.
    return systemErrorCode(denied) !== "ENOENT";
  }
}

/** The path that the system call was about; of a renaming or a copy the one that the user knows. */
function placeOf(error: unknown, workspace: string, known: KnownPlace): string | undefined {
  const temporary = path.join(workspace, cacheDirectory, "v1", "tmp");
  const ends = [pathIn(error, "dest"), pathIn(error, "path")].filter((one) => one !== undefined);
  if (isRead(error)) ends.reverse();
  for (const end of ends) {
    if (!end.startsWith(`${temporary}/`)) return end;
    const place = known(end);
    if (place !== undefined) return place;
  }
  return ends[0];
}

function pathIn(error: unknown, end: "path" | "dest"): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const value = (error as { readonly [key in typeof end]?: unknown })[end];
  return typeof value === "string" ? value : undefined;
}
