/** What a squashfs file holds, as `unsquashfs -lln` tells it. */
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { parseModeLetters } from "./mode-letters.ts";
import { compareNames, decodeName, encodeName, normaliseName, printName } from "./names.ts";
import { withTool } from "./tool-failure.ts";
import type { TreeNode } from "./tree-node.ts";

export interface SquashfsEntry {
  readonly path: string;
  readonly type: TreeNode["type"] | "socket";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes, of a file; 0 for other types. */
  readonly size: number;
  /** Of a symbolic link. */
  readonly target?: string;
}

/** The directory name that unsquashfs puts before every path by default. */
const topDirectory = "squashfs-root";

const line = /^([-dlcbps][-rwxsStT]{9}) (\d+)\/(\d+)\s+(?:(\d+)|\d+,\s*\d+) \d{4}-\d\d-\d\d \d\d:\d\d (.*)$/;

const types: Readonly<Record<string, SquashfsEntry["type"]>> = {
  "-": "file",
  d: "directory",
  l: "symlink",
  c: "char",
  b: "block",
  p: "fifo",
  s: "socket",
};

/** Maximum bytes of a listing, which is held in memory; no real extension has more. */
const longestListing = 64 * 1024 * 1024;

/**
 * The entries of a squashfs file (absolute path), in byte order; the root directory is left out. `label` is how errors name it.
 * @throws UserError `tool-failed` (no squashfs file, damaged), `tool-missing`, `unsafe-name`, `unreadable-listing`
 */
export async function listSquashfs($: Shell, file: string, label = file): Promise<readonly SquashfsEntry[]> {
  const context = { tool: "unsquashfs", what: "list the squashfs file", where: label };
  const output = await withTool(context, async () => {
    try {
      return await $`unsquashfs -lln ${file} | head -c ${longestListing + 1}`;
    } catch (error) {
      // `head` closes the pipe at the limit, which makes the tool fail.
      if (error instanceof Error && "stdout" in error && String(error.stdout).length > longestListing) {
        return { stdout: String(error.stdout) };
      }
      throw error;
    }
  });
  if (output.stdout.length > longestListing) {
    throw new UserError("the squashfs file contains too many names", {
      code: "bomb",
      where: printName(label),
      hint: "get the file from a source that you trust",
    });
  }
  const entries: SquashfsEntry[] = [];
  for (const text of output.stdout.split("\n")) {
    if (text === "") continue;
    const entry = parseLine(text, label);
    if (entry !== undefined) entries.push(entry);
  }
  return entries.sort((a, b) => compareNames(a.path, b.path));
}

function parseLine(text: string, file: string): SquashfsEntry | undefined {
  const [, letters = "", uid, gid, length = "0", rest = ""] = line.exec(text) ?? [];
  const type = types[letters[0] ?? ""];
  // U+FFFD stands for bytes that are not UTF-8: the tool's output comes as text.
  if (text.includes("\ufffd") || type === undefined || !rest.startsWith(topDirectory))
    throw unreadable(text, file);
  if (rest === topDirectory) return undefined;
  const metadata = { mode: parseModeLetters(letters), uid: Number(uid), gid: Number(gid) };
  const shown = rest.slice(topDirectory.length + 1);
  if (type !== "symlink") {
    const size = type === "file" ? Number(length) : 0;
    return { path: normaliseName(shown, file), type, size, ...metadata };
  }
  // The length of a link is that of its target: the arrow alone could be part of a name.
  const bytes = encodeName(shown);
  const target = bytes.subarray(bytes.length - Number(length));
  const arrow = bytes.subarray(0, bytes.length - target.length);
  if (!arrow.subarray(-4).equals(Buffer.from(" -> "))) throw unreadable(text, file);
  const path = normaliseName(decodeName(arrow.subarray(0, -4)), file);
  return { path, type, size: 0, target: decodeName(target), ...metadata };
}

function unreadable(text: string, file: string): UserError {
  return new UserError("the listing of the squashfs file has an invalid line", {
    code: "unreadable-listing",
    where: `${printName(file)}: ${printName(text)}`,
    hint: "get the file from a source that you trust: names with line breaks or invalid UTF-8 are not supported",
  });
}
