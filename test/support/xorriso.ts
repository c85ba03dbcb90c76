/** ISOs as xorriso lists and unpacks them: the independent reading that tests compare with. */
import { compareNames, normaliseName, rootPath } from "../../src/formats/index.ts";
import { parseModeLetters } from "../../src/formats/mode-letters.ts";
import type { Shell } from "../../src/host/index.ts";
import { usesPrograms } from "./programs.ts";

usesPrograms("xorriso");

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
 */
export async function listIso($: Shell, iso: string): Promise<readonly IsoEntry[]> {
  const output = await $`xorriso -no_rc -abort_on FAILURE -indev ${iso} -find / -exec lsdl --`;
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
  if (quoted === undefined || quoted.includes("\ufffd")) throw new Error(`no entry: ${text}`);
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

/** Copies everything in the ISO to `dir` (absolute; made), so that its owner may write it. */
export async function unpackIso($: Shell, iso: string, dir: string): Promise<void> {
  await $`xorriso -no_rc -abort_on FAILURE -osirrox on -indev ${iso} -extract / ${dir} && chmod -R u+rwX ${dir}`;
}
