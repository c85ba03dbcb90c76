/** The project's own extensions that the image has, made: those that its lists name, directly or not. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import {
  type AnyTaskContext,
  type FileSet,
  files,
  only,
  out,
  type ToolUse,
  task,
} from "../src/engine/index.ts";
import { fillKernel } from "../src/fetch/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz, type OwnPlace } from "./fetch-tcz.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { readCore } from "./image/core-tree.ts";
import { editorFiles } from "./image/editor-files.ts";
import { describeSetIdFiles } from "./image/set-id.ts";
import { readListing } from "./image/tree-listing.ts";
import { ownIndex, readIndex } from "./own-index.ts";
import { describeMissingLibraries } from "./packaging/given-libraries.ts";
import { type Made, makeOwnExtensions, ownByName } from "./packaging/own-extensions.ts";
import { noSupply, supplyFrom } from "./recipe-supply.ts";
import { extensionEntries, extensionsDirectory } from "./settings/own-extensions.ts";
import {
  type Source,
  sourceEnv,
  sourceInputs,
  sourceNeeds,
  sourceParams,
  withSource,
} from "./source/index.ts";
import { lockInput } from "./source/source-lock.ts";

/** What making own extensions needs, whichever are wanted. */
export const packagingNeeds = {
  iso: only(fetchIso, "boot", "core", "listing"),
  own: ownIndex,
  ...sourceNeeds,
} as const;

/** Builds of recipes take extensions from the source. */
export const packagingParams = { ...sourceParams, extensionEntries } as const;

/** Links are packed as they are: they mean files of the image. */
export const packagingInputs = {
  ...sourceInputs,
  lock: lockInput((name) => name.endsWith(".tcz")),
  extensions: files("**", {
    root: extensionsDirectory,
    ignore: editorFiles,
    links: "keep",
    optional: true,
  }),
} as const;

/** Tools for making extensions; not needed by a project that has none of its own. */
export const packagingTools = ({
  extensionEntries: entries,
}: {
  readonly extensionEntries: readonly string[];
}): Readonly<Record<string, ToolUse>> => {
  const use: ToolUse = entries.length > 0 ? "needed" : "unused";
  const forRecipes: ToolUse = entries.some((entry) => entry.endsWith("/")) ? "self-checked" : "unused";
  return { mksquashfs: use, unsquashfs: use, unshare: forRecipes, tar: forRecipes, git: forRecipes };
};

export const ownExtensions = task({
  name: "own-extensions",
  description: "Make the project's own extensions",
  internal: true,
  needs: { ...packagingNeeds, tcz: only(fetchTcz, "own", "builtin", "mirror") },
  inputs: packagingInputs,
  params: packagingParams,
  passEnv: sourceEnv,
  optionalTools: packagingTools,
  outputs: {
    /** Each extension, with what stands beside it. */
    extensions: out.directory("extensions"),
  },
  async run(context) {
    const { $, needs, outputs, variant, note } = context;
    const wanted = [...new Set((await readOwnPlaces(needs.tcz.own)).map(({ name }) => name))];
    if (wanted.length === 0) return;
    const made = await makeWanted(wanted, outputs.extensions, context);
    const { kernelRelease } = await readCoreFacts(needs.iso.core);
    const places = [...(await directoriesOf(needs.tcz.builtin, needs.tcz.mirror)), outputs.extensions];
    for (const sentence of await describeMissingLibraries($, made, places, kernelRelease)) note(sentence);
    if (variant === "prod")
      for (const sentence of await describeSetIdFiles($, outputs.extensions)) note(sentence);
  },
});

type PackagingContext = Parameters<typeof withSource>[0] &
  Pick<AnyTaskContext, "$" | "memo" | "log" | "digest"> & {
    readonly needs: {
      readonly iso: { readonly boot: string; readonly core: string; readonly listing: string };
      readonly own: { readonly index: string };
    };
    readonly inputs: { readonly extensions: FileSet };
  };

/**
 * Makes the extensions of these file names (with the kernel's release) in the directory `to` (absolute). The source is opened where a
 * recipe is among them, unless it is `opened` already.
 */
export async function makeWanted(
  wanted: readonly string[],
  to: string,
  context: PackagingContext,
  opened?: Source,
): Promise<readonly Made[]> {
  const { needs, inputs, scratch, blobs } = context;
  const { initrd, kernelRelease } = await readCoreFacts(needs.iso.core);
  const definitions = await readIndex(needs.own.index);
  const core = {
    kernelRelease,
    machine: machineOf(initrd),
    listing: await readListing(needs.iso.listing),
    read: once(() => readCore(needs.iso, path.join(scratch, "core"))),
    digest: once(() => context.digest([{ file: path.join(needs.iso.boot, initrd) }])),
  };
  const extensions = { root: inputs.extensions.root, shown: extensionsDirectory, definitions, core };
  const own = ownByName(definitions, kernelRelease);
  const names = new Set(wanted);
  const isBuilt = definitions.some(
    ({ name, where, form }) => form === "recipe" && names.has(fillKernel(name, kernelRelease, where)),
  );
  if (!isBuilt) return await makeOwnExtensions(wanted, extensions, to, { ...context, ...noSupply });
  const make = async (source: Source): Promise<readonly Made[]> => {
    const supply = supplyFrom(source, { own, kernelRelease, scratch, blobs });
    return await makeOwnExtensions(wanted, extensions, to, { ...context, ...supply });
  };
  return opened === undefined ? await withSource(context, make) : await make(opened);
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/** Reads `own.json` of `fetch-tcz` at an absolute path. */
export async function readOwnPlaces(file: string): Promise<readonly OwnPlace[]> {
  return JSON.parse(await readFile(file, "utf8")) as readonly OwnPlace[];
}

/** e_machine (elf(5)) of the programs of a Core with this initrd. */
function machineOf(initrd: string): number {
  return initrd === "corepure64.gz" ? 62 : 3;
}

/** Absolute paths of the directories that hold the fetched extensions. */
async function directoriesOf(builtin: string, mirror: string): Promise<readonly string[]> {
  const entries = await readdir(mirror, { recursive: true, withFileTypes: true });
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  return [path.join(builtin, "optional"), ...below];
}
