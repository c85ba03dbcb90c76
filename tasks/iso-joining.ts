/**
 * An ISO joined out of its skeleton and the layers of its initrd. Where these come from is not known here.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { AnyTaskContext, Chunk } from "../src/engine/index.ts";
import type { ImageDescription, IsoPlan } from "./image/image-identity.ts";
import { paddingAfter } from "./image/layers.ts";
import type { TemplatePlaces } from "./iso-template.ts";

/** What an initrd is joined of; paths are absolute. */
interface InitrdParts {
  readonly core: { readonly boot: string };
  /** Files of one or more archives on Core's initrd, lowest first. */
  readonly layers: readonly string[];
  readonly template: Pick<TemplatePlaces, "plan" | "single">;
}

/** The pieces of an initrd, in order, and the plan that they follow. */
export interface InitrdChunks {
  readonly initrd: readonly Chunk[];
  readonly plan: IsoPlan;
}

/** The files of an initrd, lowest first: the single archive where there is one. Absolute paths. */
export async function initrdFiles({
  core,
  layers,
  template,
}: InitrdParts): Promise<{ readonly files: readonly string[]; readonly plan: IsoPlan }> {
  const plan = JSON.parse(await readFile(template.plan, "utf8")) as IsoPlan;
  const single = (await readdir(template.single)).includes(plan.initrd);
  const files = single
    ? [path.join(template.single, plan.initrd)]
    : [path.join(core.boot, plan.initrd), ...layers];
  return { files, plan };
}

/** The initrd, filled up to the room that the ISO has for it. */
export async function joinInitrd(parts: InitrdParts): Promise<InitrdChunks> {
  const { files, plan } = await initrdFiles(parts);
  const initrd: Chunk[] = [];
  let left = plan.initrdSize;
  for (const file of files) {
    const { size } = await stat(file);
    const padding = paddingAfter(size);
    initrd.push({ file }, { bytes: Buffer.alloc(padding) });
    left -= size + padding;
  }
  initrd.push({ bytes: Buffer.alloc(left) });
  return { initrd, plan };
}

/** What an ISO is joined of beside its initrd. */
interface IsoChunks extends InitrdChunks, Pick<AnyTaskContext, "join" | "digest"> {
  readonly template: Pick<TemplatePlaces, "head" | "tail">;
  /** The file behind the initrd, if the ISO has one. */
  readonly description: ImageDescription | undefined;
}

/** Writes the ISO to `target`, an output's absolute path. */
export async function joinIso(chunks: IsoChunks, target: string): Promise<void> {
  const { initrd, plan, template, description, join, digest } = chunks;
  const described = description === undefined ? [] : [{ bytes: describe(description, plan, digest(initrd)) }];
  await join(target, [{ file: template.head }, ...initrd, ...described, { file: template.tail }]);
}

async function describe(
  { bytes }: ImageDescription,
  plan: IsoPlan,
  initrdSha256: Promise<string>,
): Promise<Buffer> {
  return bytes(plan, await initrdSha256);
}
