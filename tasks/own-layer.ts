/**
 * The project's own extensions as a layer of the initrd, beside those that are fetched: they are edited more often, so that the rest of
 * the payload is not packed again with them, and the layer has room to grow.
 */
import { stat, writeFile } from "node:fs/promises";
import { only, out, task } from "../src/engine/index.ts";
import { FileTree, treeFromDirectory } from "../src/formats/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { imagePolicy, inheritDirectories } from "./image/image-tree.ts";
import { roomFor } from "./image/layers.ts";
import { packerFor, packMembers, splitMembers } from "./image/members.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { ownExtensions, readOwnPlaces } from "./own-extensions.ts";
import { compress } from "./settings/image-options.ts";
import { undated } from "./settings/undated.ts";

/** The layer's file name. */
export const ownLayerFile = "own.cpio.gz";

export const ownLayer = task({
  name: "own-layer",
  description: "Pack the project's own extensions as a layer",
  internal: true,
  needs: { iso: only(fetchIso, "listing"), tcz: only(fetchTcz, "own"), own: ownExtensions },
  params: { compress },
  optionalTools: packerFor("useful"),
  outputs: {
    /** Cpio archives, one for each extension; of no bytes without own extensions. */
    layer: out.file(ownLayerFile),
    listing: out.file("own.json"),
    /** Bytes that an initrd keeps free for the layer. */
    room: out.file("room"),
  },
  async run(context) {
    const { needs, params, outputs, variant } = context;
    const mtime = undated;
    const tree = new FileTree();
    const made = await treeFromDirectory(needs.own.extensions, { mtime });
    for (const { name, directory, sidecars } of await readOwnPlaces(needs.tcz.own)) {
      for (const suffix of ["", ...sidecars]) {
        const node = made.get(`${name}${suffix}`);
        const entry = `${directory}/${name}${suffix}`;
        if (node?.type !== "file") continue;
        const disk = { type: node.type, executable: false, diskMode: node.mode } as const;
        tree.set(entry, { ...node, ...imagePolicy(entry, disk) });
      }
    }
    inheritDirectories(tree.ensureParents({ mtime }), await readListing(needs.iso.listing));
    const members = splitMembers(tree, (entry) => entry.replace(/(\.tcz)\..*$/, "$1"));
    if (members.size === 0) await writeFile(outputs.layer, "");
    else await context.join(outputs.layer, await packMembers(members, params.compress, context));
    await writeListing(tree, outputs.listing);
    await writeFile(outputs.room, `${roomFor((await stat(outputs.layer)).size, variant)}\n`);
  },
});
