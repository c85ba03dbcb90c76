/** A directory to watch, and a task that tells of it. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { files, out, task } from "../../src/engine/index.ts";
import type { Rig } from "./watch-rig.ts";

/** Lists a directory's files with their contents. */
export const pack = task({
  name: "pack",
  description: "",
  inputs: { tree: files("**", { root: "tree", ignore: ["**/*~"] }) },
  outputs: { list: out.artifact("made/list.txt") },
  run: ({ inputs, outputs }) => {
    const { root, paths } = inputs.tree;
    const lines = paths.map((name) => `${name}: ${readFileSync(path.join(root, name), "utf8").trim()}`);
    writeFileSync(outputs.list, lines.join("\n"));
  },
});

export const tree = { "tree/a.txt": "1", "tree/sub/b.txt": "2" };
/** What stands in a file of the rig's workspace, by default what `pack` made. */
export const made = (rig: Rig, name = "made/list.txt"): string =>
  readFileSync(path.join(rig.root, name), "utf8");
