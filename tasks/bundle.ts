/**
 * The bundle: Core's ISO, the overlay and what builds an image out of them on a machine that has neither this project
 * nor Node, only a shell, gzip, tar and an ISO writer. It unpacks into the current directory.
 */

import { constants, cp, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { file, files, only, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { bytesContent, rootOwned, treeFromDirectory, writeIso, writeTarball } from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { copying } from "./copying.ts";
import { fetchIso } from "./fetch-iso.ts";
import { closedMenus } from "./image/closed-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { bundledReadme, imageReadme } from "./image/readme.ts";
import { imageContents } from "./image-contents.ts";
import { copyBootFiles } from "./iso-template.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay } from "./overlay.ts";
import { overlayTarball } from "./overlay-tarball.ts";
import { payload } from "./payload.ts";
import { bootMenu, epoch, isoVersion } from "./settings/image-options.ts";
import { ofPackage } from "./settings/package.ts";
import { license } from "./settings/project-options.ts";
import { readmeFile } from "./settings/readme.ts";
import { undated } from "./settings/undated.ts";
import { setupFiles } from "./setup-files.ts";

/** Nearly all of it is compressed already. */
const level = 1;

export const bundle = task({
  name: "bundle",
  description: "Pack the bundle, from which other machines build the ISO",
  group: "build",
  needs: {
    core: fetchIso,
    loaders: bootLoaders,
    payload: only(payload, "openVmTools"),
    setup: only(setupFiles, "setups"),
    linkerTables: only(linkerTables, "tarballs"),
    overlay: overlayTarball,
    layout: only(overlay, "single"),
    contents: imageContents,
    copying,
  },
  inputs: {
    scripts: files("*.sh", { root: ofPackage("tasks/bundle") }),
    license,
    readme: file(readmeFile, { optional: true }),
  },
  params: { isoVersion, epoch, bootMenu },
  // Writes an ISO only where Core's has another layout.
  optionalTools: ["xorriso"],
  outputs: {
    bundle: out.artifact(({ variant }) => `build-files/razor-microkernel-bundle-${variant}.tar.gz`),
  },
  async run({ $, needs, inputs, params, outputs, scratch, variant, signal }) {
    const mtime = Number(params.epoch);
    await refuseConflict(needs.layout.single);
    const { kernel, initrd, isChanged } = await readCoreFacts(needs.core.core);
    const tree = await treeFromDirectory(inputs.scripts.root, {
      mtime,
      policy: (name, entry) => ({ ...rootOwned(name, entry), mode: name.endsWith(".sh") ? 0o755 : 0o644 }),
    });
    const add = async (source: string, target: string): Promise<void> => {
      const only = path.basename(source);
      const found = await treeFromDirectory(path.dirname(source), { mtime, filter: (name) => name === only });
      const node = found.get(only);
      if (node !== undefined) tree.set(target, node);
    };
    await add(needs.copying.copying, "COPYING");
    await add(inputs.license, "LICENSE");
    const about = { version: params.isoVersion, variant, epoch: mtime };
    const readme = await imageReadme(inputs.readme, needs.contents.list, about, ["version"]);
    if (readme !== undefined) tree.addFile(bundledReadme, bytesContent(readme), { mtime });
    // The bundle's scripts know the layout of Core's releases only.
    const iso = isChanged ? path.join(scratch, "Core-current.iso") : needs.core.iso;
    if (isChanged) await packCoreIso($, needs.core.boot, path.join(scratch, "Core"), iso);
    await add(iso, "Core-current.iso");
    await add(needs.overlay.tarball, "dependencies/razor-microkernel-overlay.tar.gz");
    for (const name of await readdir(needs.overlay.first))
      await add(path.join(needs.overlay.first, name), name);
    for (const directory of [needs.setup.setups, needs.payload.openVmTools, needs.linkerTables.tarballs]) {
      for (const name of await readdir(directory))
        await add(path.join(directory, name), `dependencies/${name}`);
    }
    for (const name of await readdir(needs.loaders.loaders)) {
      await add(path.join(needs.loaders.loaders, name), `loaders/${name}`);
    }
    if (params.bootMenu === "closed") {
      const root = path.join(scratch, "closed");
      await copyBootFiles(needs.core.boot, initrd, needs.loaders.loaders, root);
      for (const [name, text] of await closedMenus(path.join(root, "boot")))
        tree.addFile(`closed-menus/${name}`, bytesContent(text), { mtime });
    }
    const facts = {
      ...{ version: params.isoVersion, variant, epoch: mtime, kernel, initrd },
      "boot-menu": params.bootMenu,
    };
    const lines = Object.entries(facts).map(([name, value]) => `${name}=${value}\n`);
    tree.addFile("bundle-version", bytesContent(lines.join("")), { mtime });
    await writeTarball(tree.ensureParents({ mtime }), outputs.bundle, { level, signal });
  },
});

/** Writes the boot directory as an ISO with the layout of Core's releases; `root` is made. All paths are absolute. */
async function packCoreIso($: Shell, boot: string, root: string, iso: string): Promise<void> {
  const loader = { isolinux: "boot/isolinux/isolinux.bin", catalog: "boot/isolinux/boot.cat" };
  await cp(boot, path.join(root, "boot"), { recursive: true, mode: constants.COPYFILE_FICLONE });
  await rm(path.join(root, loader.catalog), { force: true });
  const ids = { volumeId: "Core", applicationId: "", systemId: "LINUX" };
  await writeIso($, { root, out: iso, ...ids, epoch: undated, boot: loader });
}

/** The bundle's scripts lay the image's files on Core's initrd as a layer, and have no other way. */
async function refuseConflict(directory: string): Promise<void> {
  if (!(await readdir(directory)).includes("conflict")) return;
  const conflict = await readFile(path.join(directory, "conflict"), "utf8");
  throw new UserError(`the layers of the bundle conflict: ${conflict}`, {
    code: "layer-conflict",
    where: "bundle",
    hint: "change overlay-src so that the path keeps its type in Core, or build the ISO: task iso",
  });
}
