/**
 * The audit of commands: runs them under strace and finds what they read or wrote outside of what their task declares. System
 * directories belong to the tools, which are part of the fingerprint by their binaries.
 */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { CommandWrapper } from "../../host/index.ts";
import { findTool, type ToolHint } from "../bind/tool.ts";
import { byteOrder, isBelow } from "../define/names.ts";
import { realPath } from "../files/link-path.ts";
import { withRealDirectory } from "./code-access.ts";

interface UndeclaredAccess {
  readonly kind: "read" | "wrote";
  /** Absolute. */
  readonly path: string;
}

/** Where programs, their libraries and the kernel's own files are. */
const systemDirectories = [
  "/bin",
  "/dev",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/usr",
  "/var",
];

/** Devices and what the kernel tells: no files. */
export const kernelDirectories: readonly string[] = ["/dev", "/proc"];

/** System calls that open, run, make, rename or remove a file, or change what relative names mean. */
const traced = [
  "openat,open,openat2,creat,truncate,execve,execveat,chdir,fchdir,chroot",
  "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat",
  "symlink,symlinkat,link,linkat",
].join(",");

/** What a task may touch; all paths absolute. */
export interface Declared {
  /** Directories that they may read, with all below. */
  readonly directories: readonly string[];
  /** Files that they may read; where one is a link, also what it leads to. */
  readonly files: Iterable<string>;
  /** Files that they may read; where one is a link, only that. */
  readonly unfollowed: Iterable<string>;
  /** Files and directories that they may write to, and read. */
  readonly writable: readonly string[];
  /** Files that they may also replace, by renaming one whose name begins with the file's and a dot. */
  readonly mutable: readonly string[];
  /** The directory that the running program is loaded from: its code may read there. */
  readonly program?: string;
  /** Whether a file is left out of an input: that it is there does not count. */
  readonly isIgnored: (file: string) => boolean;
}

export class Audit {
  readonly #directory: string;
  #count = 0;

  /** `directory` (absolute, temporary) takes the traces. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** With its output in one file, and of successful calls only, strace never cuts a line in two (-f, status). */
  readonly wrap: CommandWrapper = (command, args) => {
    this.#count += 1;
    const log = path.join(this.#directory, `trace-${this.#count}`);
    const filters = ["-e", `trace=${traced}`, "-e", "status=successful"];
    return ["strace", ["-f", "-y", "-qq", "-s", "4096", ...filters, "-o", log, command, ...args]];
  };

  /** What was touched and is neither declared nor in a system directory. */
  async undeclared(declared: Declared): Promise<readonly UndeclaredAccess[]> {
    // A trace has paths as the kernel resolved them.
    const writable = bothWays([...declared.writable, ...declared.mutable, ...kernelDirectories]);
    const readable = [...writable, ...bothWays(declared.directories), ...systemDirectories];
    const files = new Set([
      ...bothWays(declared.files),
      ...Array.from(declared.unfollowed, withRealDirectory),
    ]);
    const isReplacement = replacementMatcher(declared);
    const found = new Map<string, UndeclaredAccess["kind"]>();
    for (const name of await readdir(this.#directory)) {
      if (!/^trace-\d+$/.test(name)) continue;
      const cwd = path.join(this.#directory, "scratch");
      for (const access of parseTrace(await readFile(path.join(this.#directory, name), "utf8"), cwd)) {
        if (access.kind === "read" && files.has(access.path)) continue;
        if (isWithin(access.path, access.kind === "read" ? readable : writable)) continue;
        if (isReplacement(access.path)) continue;
        if (access.kind === "wrote" || !found.has(access.path)) found.set(access.path, access.kind);
      }
    }
    return [...found]
      .map(([where, kind]) => ({ kind, path: where }))
      .sort((a, b) => byteOrder(a.path, b.path));
  }
}

/** Whether it is one of the directories, or below one; all absolute. */
export function isWithin(file: string, roots: readonly string[]): boolean {
  return roots.some((root) => file === root || isBelow(file, root));
}

/** Tells which files are there to replace a revised one. */
export function replacementMatcher({ mutable }: Declared): (file: string) => boolean {
  const beginnings = bothWays(mutable).map((one) => `${one}.`);
  return (file) => beginnings.some((beginning) => file.startsWith(beginning));
}

/** The paths, and where they lead. */
export function bothWays(paths: Iterable<string>): readonly string[] {
  return [...paths].flatMap((one) => {
    try {
      const real = realPath(one);
      return real === one ? [one] : [one, real];
    } catch {
      return [one];
    }
  });
}

/**
 * The files of a trace, in strace's format: `PID call(arguments) = result</resolved/path>`. Relative names count from
 * where their process is, which each `AT_FDCWD</directory>` and chdir(2) tells; until then from `cwd` (absolute).
 */
export function* parseTrace(text: string, cwd: string): IterableIterator<UndeclaredAccess> {
  const directories = new Map<string, string>();
  /** What `/` means to a process that changed it, as `ldconfig -r` does; descriptors are given as from outside. */
  const tops = new Map<string, string>();
  for (const line of text.split("\n")) {
    const call = /^(\d+)\s+(\w+)\((.*)\)\s*=\s*(\d+)(?:<(.*)>)?$/.exec(line);
    if (call === null) continue;
    const [, pid = "", name = "", args = "", , resolved] = call;
    const here = /AT_FDCWD<([^>]*)>/.exec(args)?.[1];
    if (here !== undefined) directories.set(pid, plain(here));
    const named = pathsOf(args, directories.get(pid) ?? cwd, tops.get(pid));
    if (name === "chroot") {
      for (const top of named) tops.set(pid, top);
    } else if (name === "chdir" || name === "fchdir") {
      const target = named[0] ?? plain(/^\d+<(.*)>$/.exec(args)?.[1] ?? "");
      if (target !== "") directories.set(pid, target);
    } else if (name.startsWith("open") || name === "creat") {
      if (resolved === undefined || !resolved.startsWith("/") || /O_DIRECTORY|O_PATH/.test(args)) continue;
      const writes = name === "creat" || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args);
      yield { kind: writes ? "wrote" : "read", path: plain(resolved) };
    } else if (name.startsWith("exec")) {
      // What follows are the program's arguments.
      for (const program of named.slice(0, 1)) yield { kind: "read", path: program };
    } else if (name.startsWith("symlink")) {
      // The first is what the link says.
      for (const link of named.slice(-1)) yield { kind: "wrote", path: link };
    } else if (name.startsWith("link")) {
      const [from, to] = named;
      if (from !== undefined) yield { kind: "read", path: from };
      if (to !== undefined) yield { kind: "wrote", path: to };
    } else {
      for (const target of named) yield { kind: "wrote", path: target };
    }
  }
}

/** The paths among a call's arguments, absolute: `AT_FDCWD</cwd>, "name"`, `3</directory>, "name"`, `"name"`. */
function pathsOf(args: string, cwd: string, top = "/"): readonly string[] {
  const matches = args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>,\s*)?"((?:[^"\\]|\\.)*)"/g);
  return [...matches].map(([, directory, quoted = ""]) => {
    const name = plain(quoted);
    if (name.startsWith("/")) return path.join(top, name);
    return path.resolve(directory === undefined ? cwd : plain(directory), name);
  });
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v" };

/** A name as it is: strace writes bytes that are no printing ASCII as in C, `\303\274` for ü. */
function plain(quoted: string): string {
  if (!quoted.includes("\\")) return quoted;
  const bytes = quoted.replace(/\\(?:([0-7]{1,3})|(.))/g, (_, octal?: string, one = "") =>
    octal === undefined ? (escapes[one] ?? one) : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/**
 * Throws `UserError` when commands cannot be traced here: no strace, or a system that forbids it (some containers). An
 * audit that was asked for and did not happen must not look like one that found nothing.
 */
export async function requireTracer(
  request: { readonly audit?: "off" | "report" | "strict" },
  hint: ToolHint,
): Promise<void> {
  findTool("strace", hint);
  const works = await new Promise<boolean>((resolve) => {
    execFile("strace", ["-qq", "-o", "/dev/null", "true"], (error) => resolve(error === null));
  });
  if (works) return;
  throw new UserError("commands cannot be traced on this system", {
    code: "audit-impossible",
    hint: `${request.audit === "strict" ? "--strict" : "--audit"} needs strace and permission to trace; containers often forbid it`,
  });
}
