/** The ISO of a bundle, as its own scripts would make it: `rebuild-iso` with `--bundle`. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, only, out, task } from "../src/engine/index.ts";
import { writeLayer } from "../src/formats/index.ts";
import { bundleTables } from "./bundle-tables.ts";
import { microkernelIdentity } from "./image/image-identity.ts";
import { describeFallback } from "./image/layout.ts";
import { packerFor } from "./image/members.ts";
import { bundledReadme, withVersion } from "./image/readme.ts";
import { readListing } from "./image/tree-listing.ts";
import { refusePassword } from "./image/variant.ts";
import { versionTree } from "./image/version-tree.ts";
import { joinInitrd, joinIso } from "./iso-joining.ts";
import { makeTemplate } from "./iso-template.ts";
import { bootMenu, compress, epoch, imageVariant, isoVersion, layout } from "./settings/image-options.ts";
import { unpackBundle } from "./unpack-bundle.ts";

export const isoFromBundle = task({
  name: "iso-from-bundle",
  description: "Build the bootable ISO of a bundle",
  internal: true,
  needs: { bundle: unpackBundle, tables: only(bundleTables, "layer") },
  inputs: { copying: file("COPYING"), license: file("LICENSE") },
  params: { isoVersion, epoch, imageVariant, compress, layout, bootMenu },
  tools: ["xorriso"],
  // Packs only where the initrd is a single archive.
  optionalTools: packerFor("useful"),
  outputs: {
    iso: out.artifact(
      ({ value }) => `build-files/rz_mk_${value(imageVariant)}-image.${value(isoVersion)}.iso`,
    ),
  },
  async run(context) {
    const { needs, inputs, params, outputs, scratch, join, digest } = context;
    const { bundle, tables } = needs;
    const password = await readFile(bundle.password, "utf8");
    if (password !== "" && params.imageVariant === "prod") refusePassword(password, "the bundle's image");
    const conflict = await readFile(bundle.conflict, "utf8");
    if (conflict !== "" && params.layout === "layered") context.note(describeFallback(conflict));
    const directory = path.join(scratch, "template");
    await mkdir(directory);
    const template = {
      head: path.join(directory, "head"),
      tail: path.join(directory, "tail"),
      plan: path.join(directory, "plan.json"),
      single: path.join(directory, "single"),
    };
    await mkdir(template.single);
    const epoch = Number(params.epoch);
    const versionLayer = path.join(directory, "version.cpio.gz");
    const core = await readListing(bundle.listing);
    await writeLayer(versionTree(params.isoVersion, epoch, core), versionLayer, { signal: context.signal });
    const layers = [bundle.layer, tables.layer, versionLayer];
    const identity = microkernelIdentity(params.isoVersion, epoch);
    // A bundle of another release of the project may have texts of its own.
    const own = new Map((await readdir(bundle.texts)).map((name) => [name, path.join(bundle.texts, name)]));
    const readme = own.get(bundledReadme);
    if (readme !== undefined) {
      const text = withVersion(await readFile(readme, "utf8"), params.isoVersion);
      await writeFile(path.join(directory, "README"), text);
      own.delete(bundledReadme);
      own.set("README", path.join(directory, "README"));
    }
    await makeTemplate({
      core: bundle,
      layers,
      room: 0,
      single: params.layout === "single" || conflict !== "",
      compress: params.compress,
      loaders: bundle.loaders,
      bootMenu: params.bootMenu,
      files: { COPYING: inputs.copying, LICENSE: inputs.license, ...Object.fromEntries(own) },
      identity,
      epoch,
      places: template,
      context,
    });
    const chunks = await joinInitrd({ core: bundle, layers, template });
    await joinIso({ ...chunks, template, description: identity.description, join, digest }, outputs.iso);
  },
});
