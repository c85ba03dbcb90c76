/**
 * An ISO without the contents of its last files: what stands before them and what follows them. With it an ISO is
 * written by joining, as often as these contents change and their sizes do not.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Shell } from "../host/index.ts";
import { type IsoOptions, writeIso } from "./iso.ts";
import { withTool } from "./tool-failure.ts";

/** ECMA-119 6.1.2: contents begin at multiples of it. */
const sector = 2048;

/** A file that is left out: its path in the ISO and its size in bytes. */
export interface IsoGap {
  readonly path: string;
  readonly size: number;
}

export interface TemplateOptions extends Omit<IsoOptions, "out" | "last"> {
  /** Two or more; all but the last have sizes that are multiples of 2048. They follow one another in this order. */
  readonly gaps: readonly IsoGap[];
  /** Absolute path of a file for the whole ISO with zeros in the gaps; removed afterwards. */
  readonly scratch: string;
  /** Absolute path of what stands before the first gap. */
  readonly head: string;
  /** Absolute path of what follows the last one. */
  readonly tail: string;
  /** Changes the ISO in place, outside the gaps. */
  readonly adapt?: (iso: string) => Promise<void>;
}

/**
 * Writes head and tail: `head`, the contents of the gaps in their order, and `tail`, one behind the other, are the ISO that
 * `writeIso` would make. No structure of an ISO depends on the contents of its files, save a boot loader's own.
 * @throws UserError as `writeIso`
 */
export async function writeIsoTemplate($: Shell, options: TemplateOptions): Promise<void> {
  const { gaps, scratch, head, tail, adapt, ...iso } = options;
  for (const gap of gaps) await writeHole(path.join(options.root, gap.path), gap.size);
  await writeIso($, { ...iso, out: scratch, last: gaps.map((gap) => gap.path) });
  await adapt?.(scratch);
  const offsets = await findOffsets($, scratch, gaps);
  const [first = 0] = offsets;
  const end = gaps.reduce((at, gap, index) => {
    if (offsets[index] !== at) throw new Error(`${gap.path} has the wrong offset in the ISO`);
    return at + gap.size;
  }, first);
  await pipeline(createReadStream(scratch, { end: first - 1 }), createWriteStream(head));
  await pipeline(createReadStream(scratch, { start: end }), createWriteStream(tail));
  if (end > (await stat(scratch)).size) throw new Error("the last gap is after the end of the ISO");
  await rm(scratch);
}

/** A file of zeros that takes up no space. */
async function writeHole(file: string, size: number): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, "w");
  try {
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
}

/** Where the contents of the files begin, in bytes. */
async function findOffsets($: Shell, iso: string, gaps: readonly IsoGap[]): Promise<readonly number[]> {
  const { stdout } = await withTool({ tool: "xorriso", what: "read the ISO", where: iso }, () => {
    const find = gaps.flatMap((gap) => ["-find", `/${gap.path}`, "-exec", "report_lba", "--"]);
    return $`xorriso -no_rc -indev ${iso} ${find}`;
  });
  // File data lba:  0 ,   4711 ,     12 ,    24000 , '/boot/core.gz'
  const found = [...stdout.matchAll(/^File data lba: *\d+ *, *(\d+) *,/gm)];
  return found.map(([, lba]) => Number(lba) * sector);
}
