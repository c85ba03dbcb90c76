/** The extensions in the initrd of a remastered Core, as a layer: those of /tmp/builtin, and those that are unpacked. */
import { writeFile } from "node:fs/promises";
import { only, out, task } from "../src/engine/index.ts";
import { FileTree, fixUpLayer, LayerStack, treeFromDirectory } from "../src/formats/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readExtracted } from "./image/extracted-extensions.ts";
import { readTimes } from "./image/fetched-times.ts";
import { imagePolicy, inheritDirectories } from "./image/image-tree.ts";
import { writeLinkedFiles } from "./image/linked-files.ts";
import { packerFor, packMembers, splitMembers } from "./image/members.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { remasterExtensions } from "./remaster-extensions.ts";
import { compress } from "./settings/image-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { extractScripts } from "./settings/remaster-options.ts";
import { undated } from "./settings/undated.ts";

export const remasterPayload = task({
  name: "remaster-payload",
  description: "Pack the extensions of the initrd as a layer",
  internal: true,
  needs: {
    core: only(fetchIso, "listing"),
    extensions: only(remasterExtensions, "builtin", "extracted", "times"),
  },
  params: { compress, extractScripts, ...limitParams },
  optionalTools: packerFor("useful"),
  outputs: {
    /** Cpio archives, one for each extension; of no bytes without extensions in the initrd. */
    layer: out.file("payload.cpio.gz"),
    /** What the layer removes first, and what it adds. */
    before: out.file("before.json"),
    listing: out.file("layer.json"),
    linked: out.file("linked.cpio"),
  },
  async run(context) {
    const { needs, params, outputs } = context;
    const mtime = undated;
    const core = await readListing(needs.core.listing);
    const timeOf = await readTimes(needs.extensions.times);
    const extracted = await readExtracted(needs.extensions.extracted, {
      scripts: params.extractScripts,
      limits: limitsOf(params),
      timeOf: (name) => timeOf(`extracted/${name}`),
    });
    const tree = new FileTree();
    const origins = new Map<string, string>();
    for (const [name, content] of extracted) {
      for (const [entry, node] of content) {
        tree.set(entry, node);
        origins.set(entry, name);
      }
    }
    const builtin = await treeFromDirectory(needs.extensions.builtin, {
      mtime,
      policy: (name, entry) => imagePolicy(`tmp/builtin/${name}`, entry),
    });
    for (const [name, node] of builtin) {
      const entry = `tmp/builtin/${name}`;
      tree.set(entry, node.type === "directory" ? node : { ...node, mtime: timeOf(`builtin/${name}`) });
      origins.set(entry, name.replace(/(\.tcz)\..*$/, "$1"));
    }
    const { before, layer } = fixUpLayer(new LayerStack([core]), tree.ensureParents({ mtime }));
    inheritDirectories(before, core);
    inheritDirectories(layer, core);
    const members = new Map([
      ...(before.size === 0 ? [] : [["before", before] as const]),
      ...splitMembers(layer, (entry) => origins.get(entry) ?? "rest"),
    ]);
    if (members.size === 0) await writeFile(outputs.layer, "");
    else await context.join(outputs.layer, await packMembers(members, params.compress, context));
    await writeListing(before, outputs.before);
    await writeListing(layer, outputs.listing);
    await writeLinkedFiles(layer, outputs.linked, context.signal);
  },
});
