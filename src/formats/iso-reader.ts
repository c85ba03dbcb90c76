/**
 * ISO 9660 images, read: what is in them, and files out of them, through xorriso.
 * It knows nothing of what the files are.
 */
import { mkdir, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { parseModeLetters } from "./mode-letters.ts";
import { compareNames, encodeName, normaliseName, printName, rootPath } from "./names.ts";
import { withTool } from "./tool-failure.ts";

export interface IsoEntry {
  /** Relative to the ISO's root. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

const line =
  /^([-dlecbps])([-rwxsStT]{9})\s+\d+\s+(\d+)\s+(\d+)\s+(\d+|\d+,\s*\d+)\s+\w+\s+\d+\s+[\d:]+\s+'(.*)'$/;

/**
 * Every path of the ISO (absolute path), in byte order, without its root directory.
 * @throws UserError `not-an-iso`, `tool-failed`, `tool-missing`, `unsafe-name`, `unreadable-listing`
 */
export async function listIso($: Shell, iso: string): Promise<readonly IsoEntry[]> {
  // xorriso takes any other file for a blank disc and lists nothing.
  await readIsoLabel(iso);
  const output = await withTool({ tool: "xorriso", what: "list the ISO", where: iso }, () => {
    return $`xorriso -no_rc -abort_on FAILURE -indev ${iso} -find / -exec lsdl --`;
  });
  const entries: IsoEntry[] = [];
  for (const text of output.stdout.split("\n")) {
    if (!/^[-dlecbps][-rwxsStT]{9} /.test(text)) continue;
    const entry = parseLine(text, iso);
    if (entry !== undefined) entries.push(entry);
  }
  return entries.sort((a, b) => compareNames(a.path, b.path));
}

function parseLine(text: string, iso: string): IsoEntry | undefined {
  // A link is shown as 'name' -> 'target'. The letter e is a boot catalogue: a file to everyone else.
  const [, letter = "", letters = "", uid, gid, size = "", quoted] = line.exec(text) ?? [];
  // U+FFFD stands for bytes that are not UTF-8: the tool's output comes as text.
  if (quoted === undefined || quoted.includes("\ufffd")) throw unreadable(text, iso);
  // xorriso shows a quote inside a name as '"'"', as a shell would take it.
  const shown = (letter === "l" ? (quoted.split("' -> '")[0] ?? "") : quoted).replaceAll(`'"'"'`, "'");
  const path = normaliseName(shown, iso, { absolute: true });
  if (path === rootPath) return undefined;
  const type = letter === "-" || letter === "e" ? "file" : letter === "d" ? "directory" : letter;
  return {
    path,
    type: type === "l" ? "symlink" : type === "file" || type === "directory" ? type : "other",
    mode: parseModeLetters(`-${letters}`),
    uid: Number(uid),
    gid: Number(gid),
    size: type === "file" ? Number(size) : 0,
  };
}

function unreadable(text: string, iso: string): UserError {
  return new UserError("the listing of the ISO holds a line that is no entry", {
    code: "unreadable-listing",
    where: `${printName(iso)}: ${printName(text)}`,
    hint: "a name with a line break, or one that is not UTF-8, cannot be handled; get the file from a source you trust",
  });
}

/**
 * Copies the named paths (files or directories; or all) out of the ISO to the same paths below `dir` (absolute; made when missing).
 * What is copied may be written by its owner, unlike in the ISO.
 * @throws UserError `member-missing`, and those of `listIso`
 */
export async function extractIso(
  $: Shell,
  iso: string,
  paths: readonly string[] | "all",
  dir: string,
): Promise<void> {
  const entries = await listIso($, iso);
  const present = new Set(entries.map(({ path }) => path));
  const missing = paths === "all" ? [] : paths.filter((path) => !present.has(path));
  if (missing.length > 0) {
    throw new UserError(`the ISO has no ${missing.map(printName).join(", ")}`, {
      code: "member-missing",
      where: printName(iso),
      hint: "check that this is the ISO that was meant",
    });
  }
  await mkdir(dir, { recursive: true });
  const copies =
    paths === "all"
      ? ["-extract", "/", dir]
      : paths.flatMap((path) => ["-extract", `/${path}`, `${dir}/${path}`]);
  if (copies.length === 0) return;
  await withTool({ tool: "xorriso", what: "copy files out of the ISO", where: iso }, () => {
    return $`xorriso -no_rc -abort_on FAILURE -osirrox on -indev ${iso} ${copies} && chmod -R u+rwX ${dir}`;
  });
}

const sectorSize = 2048;

/**
 * The volume id of the ISO at `iso` (absolute), without trailing blanks. Source: ECMA-119 8.4.
 * @throws UserError `not-an-iso`
 */
export async function readIsoLabel(iso: string): Promise<string> {
  const handle = await open(encodeName(iso), "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(72), 0, 72, 16 * sectorSize);
    if (bytesRead === 72 && buffer.toString("latin1", 0, 6) === "\x01CD001") {
      return buffer.toString("latin1", 40, 72).replace(/ +$/, "");
    }
  } finally {
    await handle.close();
  }
  throw new UserError("the file is no ISO 9660 image", {
    code: "not-an-iso",
    where: printName(iso),
    hint: "check that it was downloaded whole",
  });
}
