/**
 * The audit: runs a task's commands under strace and finds what they read or wrote outside of what the task declares.
 *
 * Only commands are seen, not what the task's own code does in this process. System folders belong to the tools,
 * which are part of the fingerprint by their binaries.
 */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { CommandWrapper } from "../host/index.ts";
import { byteOrder } from "./names.ts";
import { findTool, type ToolHint } from "./tool.ts";

export interface UndeclaredAccess {
  readonly kind: "read" | "wrote";
  /** Absolute. */
  readonly path: string;
}

/** Where programs, their libraries and the kernel's own files are. */
const systemFolders = [
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

/** System calls that open, make, rename or remove a file; strace prints them with resolved descriptors (-y). */
const traced =
  "openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,symlink,symlinkat,link,linkat";

export class Audit {
  readonly #folder: string;
  #count = 0;

  /** `folder` (absolute, temporary) takes the traces. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly wrap: CommandWrapper = (command, args) => {
    this.#count += 1;
    const log = path.join(this.#folder, `trace-${this.#count}`);
    return [
      "strace",
      [
        "-f",
        "-y",
        "-qq",
        "-s",
        "4096",
        "-e",
        `trace=${traced}`,
        "-e",
        "status=successful",
        "-o",
        log,
        command,
        ...args,
      ],
    ];
  };

  /** What was touched and lies neither below one of `allowed` (absolute paths) nor in a system folder. */
  async undeclared(allowed: readonly string[]): Promise<readonly UndeclaredAccess[]> {
    const roots = [...allowed, ...systemFolders];
    const found = new Map<string, UndeclaredAccess["kind"]>();
    for (const name of await readdir(this.#folder)) {
      if (!/^trace-\d+$/.test(name)) continue;
      for (const access of parseTrace(await readFile(path.join(this.#folder, name), "utf8"))) {
        if (roots.some((root) => access.path === root || access.path.startsWith(`${root}/`))) continue;
        if (access.kind === "wrote" || !found.has(access.path)) found.set(access.path, access.kind);
      }
    }
    return [...found]
      .map(([where, kind]) => ({ kind, path: where }))
      .sort((a, b) => byteOrder(a.path, b.path));
  }
}

/** The files of a trace, in strace's format: `PID call(arguments) = result</resolved/path>`. */
export function* parseTrace(text: string): IterableIterator<UndeclaredAccess> {
  for (const line of text.split("\n")) {
    const call = /^\d+\s+(\w+)\((.*)\)\s*=\s*(\d+)(?:<(.*)>)?$/.exec(line);
    if (call === null) continue;
    const [, name = "", args = "", , resolved] = call;
    if (name.startsWith("open") || name === "creat") {
      if (resolved === undefined || !resolved.startsWith("/") || /O_DIRECTORY|O_PATH/.test(args)) continue;
      const writes = name === "creat" || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args);
      yield { kind: writes ? "wrote" : "read", path: resolved };
    } else {
      for (const target of pathsOf(args)) yield { kind: "wrote", path: target };
    }
  }
}

/** Absolute paths among a call's arguments: `AT_FDCWD</cwd>, "name"` and `"/name"`. */
function* pathsOf(args: string): IterableIterator<string> {
  for (const match of args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>,\s*)?"((?:[^"\\]|\\.)*)"/g)) {
    const [, folder, name = ""] = match;
    if (name.startsWith("/")) yield path.normalize(name);
    else if (folder !== undefined) yield path.join(folder, name);
  }
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
    hint: `${request.audit === "strict" ? "--strict" : "--audit"} needs strace and the right to trace: containers often forbid it`,
  });
}
