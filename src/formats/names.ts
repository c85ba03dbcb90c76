/** Path names as archives carry them: bytes, mostly UTF-8, held as strings without losing the others. */
import { printableName, UserError } from "../errors/index.ts";

/** The root directory's own entry in a tree. */
export const rootPath = ".";

const ascii = /^[\0-\x7f]*$/;
// With the u flag only lone surrogates match, not the second half of a pair.
const escaped = /[\udc80-\udcff]/u;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A name's bytes as a string. A byte that is not part of valid UTF-8 becomes the lone surrogate
 * U+DC00 + byte (the "surrogateescape" scheme of PEP 383), so `encodeName` gives the same bytes back.
 */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    const chunk = bytes.subarray(at, at + Math.max(length, 1));
    text += length === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : strictUtf8.decode(chunk);
    at += chunk.length;
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strictUtf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** The bytes of a name made by `decodeName` (or of any well-formed string, as UTF-8). */
export function encodeName(name: string): Buffer {
  if (!escaped.test(name)) return Buffer.from(name, "utf8");
  const chunks: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    chunks.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character));
  }
  return Buffer.concat(chunks);
}

/** Whether every byte of the name is part of valid UTF-8. */
export function isUtf8Name(name: string): boolean {
  return !escaped.test(name);
}

/** Orders two names by their bytes, as `LC_ALL=C sort` does; the root's entry `.` comes first. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (a === rootPath) return -1;
  if (b === rootPath) return 1;
  if (ascii.test(a) && ascii.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(encodeName(a), encodeName(b));
}

/** Whether no part of the path is empty, `.` or `..`. */
export function isPlainPath(path: string): boolean {
  return !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path);
}

/** The path of the directory that holds `path`, or undefined for an entry of the root directory. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? undefined : path.slice(0, slash);
}

/**
 * An archive's name as a path of a tree: `./`, doubled and trailing slashes go; the root itself is `.`.
 * A leading slash is dropped only where `absolute` allows it (the kernel unpacks an initrd that way).
 * @throws UserError `unsafe-name` for `..`, an absolute name or a NUL
 */
export function normaliseName(
  name: string,
  where: string,
  options: { readonly absolute?: boolean } = {},
): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const fault = name.startsWith("/") && options.absolute !== true ? "is absolute" : faultOf(parts);
  if (name === "" || fault !== undefined) {
    throw new UserError(`the archive contains the name ${printName(name)}, which ${fault ?? "is empty"}`, {
      code: "unsafe-name",
      where: `${where}: ${printName(name)}`,
      hint: "get the file from a source that you trust: the name could leave the directory",
    });
  }
  return parts.length === 0 ? rootPath : parts.join("/");
}

function faultOf(parts: readonly string[]): string | undefined {
  if (parts.includes("..")) return 'leaves its directory with ".."';
  return parts.some((part) => part.includes("\0")) ? "contains a NUL byte" : undefined;
}

/** A name for a message, in one line: bytes and control characters are shown as `\xNN`, others that cannot be seen as `\uNNNN`. */
export function printName(name: string): string {
  return printableName(name);
}

const longestShown = 160;

/** A path for a message: as `printName`, its middle left out where it is too long to be read. */
export function printPath(path: string): string {
  const shown = printName(path);
  if (shown.length <= longestShown) return shown;
  return `${shown.slice(0, longestShown / 2)}…${shown.slice(-longestShown / 2)}`;
}
