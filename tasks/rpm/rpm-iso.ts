/** The ISO of an installer: boot files of a distribution, the tree, the kickstart file, and the project's own files over them. */
import { constants, cp, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { files, out, task, when } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { writeIso } from "../../src/formats/index.ts";
import { sha256Of } from "../../src/release/index.ts";
import { epoch, isoVersion } from "../settings/image-options.ts";
import { type ContentEntry, renderReadme } from "../settings/readme.ts";
import { volumeLabel } from "../settings/rpm-options.ts";
import { source } from "../source/source-options.ts";
import { wantedLabel } from "./boot-files.ts";
import { kickstart } from "./kick.ts";
import { readTreePackages } from "./repodata.ts";
import { sampleName } from "./repository-access.ts";
import { revisor } from "./revisor.ts";
import { imageSource, importedDirectory } from "./rpm-files.ts";
import { sampleRpm } from "./sample-rpm.ts";

export const rpmIso = task({
  name: "rpm-iso",
  description: "Build the ISO of the installer, with the tree and its boot files",
  group: "build",
  variants: "shared",
  needs: { tree: revisor, kickstart, sample: when(source, sampleName, sampleRpm) },
  inputs: {
    imported: files("**", { root: importedDirectory, optional: true }),
    own: files("**", { root: imageSource, optional: true }),
  },
  params: { isoVersion, epoch, volumeLabel },
  tools: ["xorriso", "implantisomd5"],
  outputs: { iso: out.artifact(({ value }) => `build-files/installer.${value(isoVersion)}.iso`) },
  async run({ $, needs, inputs, params, outputs, scratch, variant }) {
    const root = path.join(scratch, "iso");
    const mtime = Number(params.epoch);
    const boot = inputs.imported.paths.length > 0 ? inputs.imported.root : needs.sample?.boot;
    if (boot === undefined) throw noBootFiles();
    await layOver(boot, root);
    await layOver(needs.kickstart.directory, root);
    if (inputs.own.paths.length > 0) await layOver(inputs.own.root, root);
    await rm(path.join(root, "isolinux/boot.cat"), { force: true });
    await linkTree(needs.tree.tree, root, mtime);
    await updateTreeinfo(root);
    if (inputs.own.paths.includes("README")) {
      const contents = await contentsOf(path.join(root, "Packages"));
      const values = { version: params.isoVersion, variant, epoch: mtime, contents };
      const template = await readFile(path.join(inputs.own.root, "README"), "utf8");
      await writeFile(path.join(root, "README"), renderReadme(template, values, `${imageSource}/README`));
    }
    await writeIso($, {
      root,
      out: outputs.iso,
      volumeId:
        params.volumeLabel || (await menuLabel(root)) || `Installer ${params.isoVersion}`.slice(0, 32),
      applicationId: "Installer",
      systemId: "LINUX",
      epoch: mtime,
      boot: {
        isolinux: "isolinux/isolinux.bin",
        catalog: "isolinux/boot.cat",
        ...((await isThere(root, "images/efiboot.img")) ? { efi: "images/efiboot.img" } : {}),
      },
    });
    // Its digest is written into a field of the volume descriptor that nothing else uses.
    await $`implantisomd5 --force ${outputs.iso}`;
  },
});

/** Copies what is in a directory over another one; a file there is replaced. */
async function layOver(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** Packages are large, and the ISO's writer only reads them: links to a need's output will do, except where times are set. */
async function linkTree(tree: string, root: string, epoch: number): Promise<void> {
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
    const from = path.join(entry.parentPath, entry.name);
    const to = path.join(root, path.relative(tree, from));
    if (entry.isDirectory()) await mkdir(to, { recursive: true });
    else {
      await mkdir(path.dirname(to), { recursive: true });
      if (epoch === 0) await cp(from, to);
      else await link(from, to).catch(() => cp(from, to));
    }
  }
}

/** The digest of the tree's index, where the imported description has that of another tree. */
async function updateTreeinfo(root: string): Promise<void> {
  const file = path.join(root, ".treeinfo");
  const text = await readFile(file, "utf8").catch(() => "");
  const line = /^repodata\/repomd\.xml *= *sha256:[0-9a-f]{64}$/m;
  if (!line.test(text)) return;
  const digest = await sha256Of(path.join(root, "repodata/repomd.xml"));
  await rm(file);
  await writeFile(file, text.replace(line, `repodata/repomd.xml = sha256:${digest}`));
}

async function contentsOf(packages: string): Promise<readonly ContentEntry[]> {
  const found = await readTreePackages(packages);
  return found.map(({ file, bytes, sha256 }) => ({ name: file, bytes, sha256 }));
}

async function menuLabel(root: string): Promise<string | undefined> {
  const menus = ["isolinux/isolinux.cfg", "EFI/BOOT/grub.cfg"].map((name) =>
    readFile(path.join(root, name), "latin1").catch(() => ""),
  );
  return wantedLabel(await Promise.all(menus));
}

async function isThere(root: string, name: string): Promise<boolean> {
  const names: readonly string[] = await readdir(path.join(root, path.dirname(name))).catch(() => []);
  return names.includes(path.basename(name));
}

function noBootFiles(): UserError {
  return new UserError("the project has no boot files of an installer", {
    code: "boot-files-missing",
    where: importedDirectory,
    hint: "take them from a distribution's tree: task import URL, DIRECTORY or ISO",
  });
}
