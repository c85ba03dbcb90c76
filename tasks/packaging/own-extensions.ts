/** Making the extensions that a project defines, each once for the same content. */
import path from "node:path";
import { fillKernel, type OwnExtension } from "../../src/fetch/index.ts";
import type { FileTree } from "../../src/formats/index.ts";
import { mapParallel } from "../../src/host/index.ts";
import type { ExtensionFacts } from "../debian/extension-metadata.ts";
import { undated } from "../settings/undated.ts";
import { type Definition, textOf } from "./definition.ts";
import { readFolder } from "./folder-extension.ts";
import { type PackingContext, packTree, placeMade } from "./made-extension.ts";
import { inspectPrebuilt } from "./prebuilt-extension.ts";
import { checkTree } from "./tree-rules.ts";

/** The base of the image, as far as extensions depend on it. */
interface CoreBase {
  readonly kernelRelease: string;
  /** e_machine of its programs. */
  readonly machine: number;
  /** Paths of Core's initrd. */
  readonly listing: FileTree;
  /** Its files with contents. */
  readonly read: () => Promise<FileTree>;
}

interface OwnExtensions {
  /** Absolute path of `extensions/`, and its name in messages. */
  readonly root: string;
  readonly shown: string;
  readonly definitions: readonly Definition[];
  readonly core: CoreBase;
}

/** An extension that was made. */
export interface Made extends ExtensionFacts {
  /** Libraries that it asks for and neither it nor Core has, each with the first file that asks. */
  readonly missing: ReadonlyMap<string, string>;
}

/** The definitions as `loadExtensions` takes them, by file name with the kernel's release filled in. */
export function ownByName(
  definitions: readonly Definition[],
  kernelRelease: string,
): ReadonlyMap<string, OwnExtension> {
  return new Map(
    definitions.map(({ name, deps, where }) => [fillKernel(name, kernelRelease, where), { deps, where }]),
  );
}

/**
 * Makes the extensions of these file names (with the kernel's release), with what stands beside them, in the directory `to` (absolute).
 * @throws UserError `own-extension`, `owners`
 */
export async function makeOwnExtensions(
  wanted: readonly string[],
  own: OwnExtensions,
  to: string,
  context: PackingContext & { readonly note: (message: string) => void },
): Promise<readonly Made[]> {
  const defined = new Map(
    own.definitions.map((one) => [fillKernel(one.name, own.core.kernelRelease, one.where), one]),
  );
  const jobs = wanted.flatMap((name) => {
    const definition = defined.get(name);
    return definition === undefined ? [] : [{ name, definition }];
  });
  return await mapParallel(jobs, 2, ({ name, definition }) => makeOne(name, definition, own, to, context));
}

async function makeOne(
  name: string,
  { form, name: defined, deps, where: shown }: Definition,
  { root, core }: OwnExtensions,
  to: string,
  context: PackingContext & { readonly note: (message: string) => void },
): Promise<Made> {
  const { kernelRelease } = core;
  if (form === "prebuilt") {
    const file = path.join(root, defined);
    for (const sentence of await inspectPrebuilt(context.$, { file, shown, name, kernelRelease }))
      context.note(sentence);
    const description = { name, version: "---", deps, info: await textOf(`${file}.info`) };
    return { ...(await placeMade(file, description, to, context.$)), missing: new Map() };
  }
  const directory = path.join(root, defined.replace(/\.tcz$/, ""));
  const { tree, notes } = await readFolder({ directory, shown, name, mtime: undated, core: core.read });
  const around = { name, shown: `${shown}/tree`, kernelRelease, machine: core.machine, core: core.listing };
  const report = await checkTree(tree, around);
  for (const sentence of [...notes, ...report.notes]) context.note(sentence);
  const file = await packTree(name, tree, context);
  const description = { name, version: "---", deps, info: await textOf(path.join(directory, "info")) };
  return { ...(await placeMade(file, description, to, context.$)), missing: report.missing };
}
