/** The layer of the project's own extensions for an initrd that is a single archive: only then does the ISO's template depend on it. */
import { copyFile, readdir } from "node:fs/promises";
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { overlay } from "./overlay.ts";
import { ownLayer, ownLayerFile } from "./own-layer.ts";

export const ownSingle = task({
  name: "own-single",
  description: "Hand the own extensions over to a single archive",
  internal: true,
  needs: { own: only(ownLayer, "layer"), overlay: only(overlay, "single") },
  /** Has the layer where the initrd is a single archive; else empty. */
  outputs: { single: out.directory("single") },
  async run({ needs, outputs }) {
    if ((await readdir(needs.overlay.single)).length === 0) return;
    await copyFile(needs.own.layer, path.join(outputs.single, ownLayerFile));
  },
});
