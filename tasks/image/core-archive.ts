/**
 * Core's own archive in an image that is to be as small as it gets: the same content, packed anew where its maker left
 * something to gain. It knows nothing of the layers on it.
 */
import { stat } from "node:fs/promises";
import path from "node:path";
import { inflateInitrd } from "../../src/formats/index.ts";
import { sha256Of } from "./iso-metadata.ts";
import { deflateBest, type PackContext } from "./members.ts";

/** What must be gained at least. An archive that its maker packed well keeps its bytes, and so its checksum. */
const worthwhile = 0.99;

/**
 * Packs the initrd `core` (absolute) anew, and returns the result's absolute path; undefined where Core's own bytes are to be
 * used: unless `compress` is `best`, or where too little is gained, or where it is more than one gzip member.
 */
export async function packCore(
  core: string,
  compress: string,
  context: PackContext,
): Promise<string | undefined> {
  if (compress !== "best") return undefined;
  const plain = path.join(context.scratch, "core.cpio");
  if (!(await inflateInitrd(core, plain))) return undefined;
  const packed = await context.memo([await sha256Of(core)], (file) => deflateBest(plain, file, context));
  const [own, anew] = await Promise.all([stat(core), stat(packed)]);
  return anew.size < own.size * worthwhile ? packed : undefined;
}
