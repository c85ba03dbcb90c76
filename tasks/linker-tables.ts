/**
 * What an image derives from its libraries and kernel modules: the loader's cache and the tables of modules. Core brings its
 * own, so that there is something to do only where a layer adds libraries or modules, and again only when one of them changes.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type AnyTaskContext, only, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  FileTree,
  followLinks,
  mergeLayers,
  noLimits,
  readElfMachine,
  readInitrd,
  stageTree,
  writeLayer,
  writeTarball,
} from "../src/formats/index.ts";
import { installHint } from "../src/host/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { inheritDirectories } from "./image/image-tree.ts";
import { isLibraryFile, linkedFiles, moduleRelease } from "./image/linked-files.ts";
import { isKnownMachine, libraryTables, moduleTables } from "./image/linking-tables.ts";
import { writeListing } from "./image/tree-listing.ts";
import { overlay } from "./overlay.ts";
import { payload } from "./payload.ts";
import { undated } from "./settings/undated.ts";
import { setupFiles } from "./setup-files.ts";

/** Whether they run depends on what the layers hold: nearly every image has libraries. */
export const tableTools = () => ({ ldconfig: "self-checked", depmod: "self-checked" }) as const;

export const tableOutputs = {
  /** A gzipped cpio archive; of no bytes where nothing is to be derived. */
  layer: out.file("derived.cpio.gz"),
  listing: out.file("derived.json"),
  /** The same as a tarball, where there is anything. */
  tarballs: out.directory("tarballs"),
} as const;

export const linkerTables = task({
  name: "linker-tables",
  description: "Compute library and module tables if the image adds to Core's",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core"),
    payload: only(payload, "linked"),
    setup: only(setupFiles, "linked"),
    overlay: only(overlay, "linked"),
  },
  optionalTools: tableTools,
  outputs: tableOutputs,
  run: (context) => {
    const { payload, setup, overlay } = context.needs;
    return deriveTables(context.needs.core, [payload, setup, overlay], context);
  },
});

type TableContext = Pick<AnyTaskContext, "$" | "scratch" | "missingTools" | "note" | "signal"> & {
  readonly outputs: Readonly<Record<keyof typeof tableOutputs, string>>;
};

/**
 * Writes the tables of an image of Core (boot directory and facts, absolute paths) and layers on it; `linked` has their libraries and
 * modules.
 */
export async function deriveTables(
  core: { readonly boot: string; readonly core: string },
  layers: readonly { readonly linked: string }[],
  { $, outputs, scratch, missingTools, note, signal }: TableContext,
): Promise<void> {
  const mtime = undated;
  const given = await readLinked(layers, path.join(scratch, "given"));
  const paths = given.paths().filter((name) => given.get(name)?.type !== "directory");
  const libraries = paths.filter(isLibraryFile);
  const releases = new Set(paths.flatMap((name) => moduleRelease(name) ?? []));
  const tables = new FileTree();
  if (libraries.length + releases.size > 0) {
    const { initrd, kernelRelease } = await readCoreFacts(core.core);
    const members = await readInitrd(path.join(core.boot, initrd), {
      spoolDir: path.join(scratch, "core"),
      // Within its limits, or it would not have been taken out of its ISO.
      limits: noLimits,
    });
    const image = mergeLayers([...members.map((member) => linkedFiles(member.tree)), given]).tree;
    const root = path.join(scratch, "image");
    await stageTree(image, root);
    if (libraries.length > 0) {
      requireTool("ldconfig", missingTools);
      await refuseForeign(given, libraries);
      tables.addTree(await libraryTables($, root, mtime));
    }
    for (const release of releases) {
      if (release !== kernelRelease) {
        note(`the image has modules for ${release}, which are useless: Core's kernel is ${kernelRelease}`);
        continue;
      }
      requireTool("depmod", missingTools);
      const { path: directory } = followLinks(image, `lib/modules/${release}`, true);
      const found = await moduleTables($, { root, directory, release, mtime });
      const listed = (await found.read(`${directory}/modules.dep`)).toString();
      const own = paths.filter((name) => moduleRelease(name) === release);
      const unseen = own.filter((name) => !listed.includes(path.basename(name)));
      if (unseen.length > 0) note(`depmod does not search the directory of ${unseen.join(", ")}`);
      if (unseen.length < own.length) tables.addTree(found);
    }
    // A table in the overlay is there on purpose.
    for (const name of tables.paths()) if (given.has(name)) tables.delete(name);
    inheritDirectories(tables.ensureParents({ mtime }), image);
  }
  if (tables.size === 0) await writeFile(outputs.layer, "");
  else {
    await writeLayer(tables, outputs.layer, { signal });
    await writeTarball(tables, path.join(outputs.tarballs, "derived-files.tar.gz"), { signal });
  }
  await writeListing(tables, outputs.listing);
}

/** What the layers put over Core, as far as tables depend on it. */
async function readLinked(
  layers: readonly { readonly linked: string }[],
  spoolDir: string,
): Promise<FileTree> {
  const trees: FileTree[] = [];
  for (const [index, { linked }] of layers.entries()) {
    const members = await readInitrd(linked, {
      spoolDir: path.join(spoolDir, String(index)),
      limits: noLimits,
    });
    trees.push(...members.map((member) => member.tree));
  }
  return mergeLayers(trees).tree;
}

function requireTool(tool: string, missing: readonly string[]): void {
  if (!missing.includes(tool)) return;
  throw new UserError(`${tool} is not installed, but the image adds libraries or modules`, {
    code: "tool-missing",
    where: tool,
    hint: installHint(tool) ?? "install it, and build again",
  });
}

async function refuseForeign(tree: FileTree, libraries: readonly string[]): Promise<void> {
  for (const name of libraries) {
    if (tree.get(name)?.type !== "file") continue;
    const machine = readElfMachine(await tree.read(name));
    if (machine === undefined || isKnownMachine(machine)) continue;
    throw new UserError("this machine's ldconfig does not support the image's architecture", {
      code: "foreign-library",
      where: name,
      hint: "build on a machine of the image's architecture, or put etc/ld.so.cache into the overlay",
    });
  }
}
