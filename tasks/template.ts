/**
 * A root file system for containers: what the booted machine sees, with the extensions that boot loads unpacked, and without
 * secrets and traces of a machine.
 */
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  FileTree,
  noLimits,
  type OwnerNames,
  readElfMachine,
  readTarballFiles,
  rootPath,
  stageTree,
  writeOciLayout,
  writeTarball,
} from "../src/formats/index.ts";
import { openImage } from "../src/inspection/index.ts";
import { linkedFiles } from "./image/linked-files.ts";
import { libraryTables } from "./image/linking-tables.ts";
import { describeScrubbed, scrub } from "./image/scrubbing.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";

/** Container runtimes take owners as numbers. */
const noNames: OwnerNames = { users: new Map(), groups: new Map() };

export const template = task({
  name: "template",
  description: "Make a root file system for containers, as a tarball (--oci: and as an OCI image)",
  group: "release",
  needs: { image: rebuildIso },
  params: { isoVersion, epoch, ...limitParams },
  tools: ["ldconfig"],
  outputs: {
    tarball: out.artifact(
      ({ variant, value }) => `build-files/rz_mk_${variant}-template.${value(isoVersion)}.tar.gz`,
    ),
  },
  async run({ $, needs, params, outputs, scratch, note, signal }) {
    const mtime = Number(params.epoch);
    const { view } = await openImage(needs.image.iso, {
      spoolDir: path.join(scratch, "image"),
      limits: limitsOf(params),
      note,
    });
    const tree = new FileTree([...view.tree]);
    const removed = describeScrubbed(scrub(tree));
    if (removed !== undefined) note(removed);
    // At boot the loader's cache is computed when the extensions are there.
    const root = path.join(scratch, "libraries");
    await stageTree(linkedFiles(tree), root);
    tree.addTree(await libraryTables($, root, mtime));
    tree.ensureParents({ mtime });
    if (!tree.has(rootPath)) tree.addDirectory(rootPath, { mtime });
    await writeTarball(tree, outputs.tarball, { owners: noNames, signal });
  },
});

export const ociTemplate = task({
  name: "oci-template",
  description: "Make the template as an OCI image",
  internal: true,
  needs: { template },
  params: { isoVersion, epoch },
  outputs: {
    layout: out.artifactDirectory(
      ({ variant, value }) => `build-files/rz_mk_${variant}-template.${value(isoVersion)}.oci`,
    ),
  },
  async run({ needs, params, outputs, variant }) {
    await writeOciLayout(
      {
        layer: needs.template.tarball,
        architecture: await architectureOf(needs.template.tarball),
        command: ["/bin/sh"],
        reference: "latest",
        title: `rz_mk_${variant}`,
        version: params.isoVersion,
        created: Number(params.epoch),
      },
      outputs.layout,
    );
  },
});

/** GOARCH by e_machine (ELF, "Machine"; `go tool dist list`), which the OCI specification asks for (config.md). */
const architectures: ReadonlyMap<number, string> = new Map([
  [3, "386"],
  [40, "arm"],
  [62, "amd64"],
  [183, "arm64"],
]);

/** The machines that the programs in `bin` of a tarball (absolute path) are for. */
async function architectureOf(tarball: string): Promise<string> {
  const programs = await readTarballFiles(tarball, ({ path: name }) => /^bin\/[^/]+$/.test(name), noLimits);
  for (const bytes of programs.values()) {
    const found = architectures.get(readElfMachine(bytes) ?? 0);
    if (found !== undefined) return found;
  }
  throw new UserError("no program in the image's bin directory tells for which machines it is", {
    code: "template-machine",
    where: "bin",
    hint: "put a program for x86, x86_64, arm or aarch64 there",
  });
}
