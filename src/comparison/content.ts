/** How the contents of two files that hold no others differ: by line where both are text. */
import {
  contentSize,
  digestContent,
  type FileContent,
  printName,
  readContent,
  streamContent,
} from "../formats/index.ts";
import { describeContent } from "./container.ts";
import type { Difference } from "./difference.ts";

/** Larger files are not taken for text. */
const largestText = 512 * 1024;
/** Of a file's changed lines this many are shown. */
const mostLines = 200;

export async function isSame(a: FileContent, b: FileContent): Promise<boolean> {
  if (contentSize(a) !== contentSize(b)) return false;
  const [one, other] = await Promise.all([digestContent(a), digestContent(b)]);
  return one === other;
}

/** What to say of two contents that are not the same. */
export async function compareContents(
  a: FileContent,
  b: FileContent,
): Promise<Pick<Difference, "a" | "b" | "lines">> {
  const [one, other] = [await textOf(a), await textOf(b)];
  if (one !== undefined && other !== undefined) {
    return { a: describeContent(a), b: describeContent(b), lines: await changedLines(one, other) };
  }
  const at = await firstDifference(a, b);
  const say = async (content: FileContent): Promise<string> =>
    `${describeContent(content)}, sha256 ${(await digestContent(content)).slice(0, 16)}…`;
  return { a: await say(a), b: `${await say(b)}, from byte ${at.toLocaleString("en")} on` };
}

async function textOf(content: FileContent): Promise<string | undefined> {
  if (contentSize(content) > largestText) return undefined;
  const bytes = await readContent(content);
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

async function changedLines(a: string, b: string): Promise<readonly string[]> {
  const { structuredPatch } = await import("diff");
  const { hunks } = structuredPatch("a", "b", a, b, undefined, undefined, { context: 2 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: own }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...own.map(printName),
  ]);
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more lines`];
}

/** Offset of the first byte that is not the same; the shorter one's size where it is the other's beginning. */
export async function firstDifference(a: FileContent, b: FileContent): Promise<number> {
  const others = streamContent(b);
  let held: Uint8Array = new Uint8Array();
  let at = 0;
  try {
    for await (const piece of streamContent(a)) {
      for (let done = 0; done < piece.length; ) {
        if (held.length === 0) {
          const next = await others.next();
          if (next.done === true) return at;
          held = next.value;
        }
        const length = Math.min(held.length, piece.length - done);
        const [one, other] = [piece.subarray(done, done + length), held.subarray(0, length)];
        if (Buffer.compare(one, other) !== 0)
          return at + one.findIndex((byte, index) => byte !== other[index]);
        at += length;
        done += length;
        held = held.subarray(length);
      }
    }
    return at;
  } finally {
    await others.return(undefined);
  }
}
