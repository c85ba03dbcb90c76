/** How the contents of two files that hold no others differ: by line where both are text. */
import {
  contentSize,
  digestContent,
  type FileContent,
  printName,
  readContent,
  streamContent,
} from "../formats/index.ts";
import { describeContent } from "../inspection/index.ts";
import type { Difference } from "./difference.ts";

/** Larger files are not taken for text. */
const largestText = 512 * 1024;
/** Of a file's changed lines this many are shown. */
const mostLines = 200;

/** Texts with more changed lines are shown as bytes: the work grows with the square of this. */
const mostEdits = 1000;

/** Bounds the work of line comparisons over all files, which would otherwise take minutes. */
export class LineBudget {
  #left = 8 * mostEdits ** 2;

  /** Maximum number of added and removed lines in the next file. */
  get edits(): number {
    return Math.min(mostEdits, Math.floor(Math.sqrt(this.#left)));
  }

  spend(edits: number): void {
    this.#left = Math.max(0, this.#left - edits ** 2);
  }
}

/** Compares contents by digest; each range of a file is read once, however many hard links or overlapping files refer to it. */
export class ContentDigests {
  readonly #known = new Map<string, string>();

  async isSame(a: FileContent, b: FileContent): Promise<boolean> {
    if (contentSize(a) !== contentSize(b)) return false;
    if (contentSize(a) === 0 || (a.kind === "file" && placeOf(a) === placeOf(b))) return true;
    const [one, other] = [await this.of(a), await this.of(b)];
    return one === other;
  }

  /** sha256 of the content, in hex. */
  async of(content: FileContent): Promise<string> {
    const place = placeOf(content);
    const digest = this.#known.get(place) ?? (await digestContent(content));
    if (place !== "") this.#known.set(place, digest);
    return digest;
  }
}

/** Identifies the range of a file that holds the content; empty for content in memory. */
export function placeOf(content: FileContent): string {
  return content.kind === "file" ? `${content.offset} ${content.size} ${content.path}` : "";
}

/** What to say of two contents that are not the same. */
export async function compareContents(
  a: FileContent,
  b: FileContent,
  { lines: budget, digests }: { readonly lines: LineBudget; readonly digests: ContentDigests },
): Promise<Pick<Difference, "a" | "b" | "lines">> {
  const [one, other] = [await textOf(a), await textOf(b)];
  const lines = one === undefined || other === undefined ? undefined : await changedLines(one, other, budget);
  if (lines !== undefined) return { a: describeContent(a), b: describeContent(b), lines };
  const at = await firstDifference(a, b);
  const say = async (content: FileContent): Promise<string> =>
    `${describeContent(content)}, sha256 ${(await digests.of(content)).slice(0, 16)}…`;
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

/** The changed lines; undefined where there are too many. */
async function changedLines(
  a: string,
  b: string,
  budget: LineBudget,
): Promise<readonly string[] | undefined> {
  const { structuredPatch } = await import("diff");
  const { edits: maxEditLength } = budget;
  const patch = structuredPatch("a", "b", a, b, undefined, undefined, { context: 2, maxEditLength });
  if (patch === undefined) {
    budget.spend(maxEditLength);
    return undefined;
  }
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: own }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...own.map(printName),
  ]);
  budget.spend(lines.filter((line) => /^[-+]/.test(line)).length);
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
