/**
 * What a machine loads to boot an image from the network, layer by layer, as the last build of a variant left it in the cache:
 * nothing is joined or copied, so an edit costs no more than the layer that it changes.
 */
import path from "node:path";
import { type CommandContext, neededTask } from "../src/engine/index.ts";
import { defaultLabel } from "../src/formats/index.ts";
import type { BootFile, BootImage } from "../src/serve/index.ts";
import { readBootMenu } from "./image/boot-menu.ts";
import { servedName } from "./image/ipxe-script.ts";
import { initrdFiles } from "./iso-joining.ts";
import { type InitrdPaths, initrdNeeds, initrdParts } from "./rebuild-iso.ts";

/** Undefined for a variant that was not built. */
export async function netImage(
  { builtOutputs }: Pick<CommandContext, "builtOutputs">,
  variant: string,
): Promise<BootImage | undefined> {
  const built = await Promise.all(
    Object.entries(initrdNeeds).map(async ([name, need]) => {
      const outputs = await builtOutputs(neededTask(need), variant);
      return outputs === undefined ? undefined : ([name, outputs] as const);
    }),
  );
  const there = built.filter((one) => one !== undefined);
  if (there.length < built.length) return undefined;
  const facts = new Map(there.flatMap(([, { files }]) => [...files]));
  // The names are those of the needs.
  const paths = Object.fromEntries(there.map(([name, { paths }]) => [name, paths])) as unknown as InitrdPaths;
  const served = (file: string, name = path.basename(file)): BootFile | undefined => {
    const fact = facts.get(file);
    return fact === undefined ? undefined : { name, path: file, ...fact };
  };
  const { boot } = paths.core;
  const { files, plan } = await initrdFiles(initrdParts(paths));
  const { args, initrds } = defaultLabel(await readBootMenu(boot));
  const own = `/boot/${plan.initrd}`;
  const all = initrds.flatMap((file) =>
    file === own
      ? files.map((one) => served(one))
      : [served(path.join(boot, path.posix.relative("/boot", file)), servedName(file))],
  );
  const kernel = served(path.join(boot, plan.kernel));
  const known = all.filter((file) => file !== undefined);
  if (kernel === undefined || known.length < all.length) return undefined;
  // An empty file is no archive, and nothing for a boot loader to load.
  return { variant, kernel, initrds: known.filter(({ size }) => size > 0), args };
}
