/**
 * The gem mirror of an old project's image: the server's root that its `rz_mk_gem_mirror.rb` serves, and from which its controller
 * installs gems. The old script made it with `gem generate_index`.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  gemIndexFiles,
  type IndexedGem,
  readIndexedGem,
  treeFromDirectory,
} from "../../src/formats/index.ts";

/** Path in the image. */
export const gemMirror = "tmp/gem-mirror";

interface MirrorOptions {
  /** Seconds since 1970 of directories and of the index. */
  readonly mtime: number;
  /** The same of a gem, or of `gem.list`, by its file name. */
  readonly timeOf: (name: string) => number;
}

interface GemMirror {
  /** Paths from the image's root. */
  readonly tree: FileTree;
  /** Why a gem is not in the index, in words; by its file name. */
  readonly left: ReadonlyMap<string, string>;
}

/** The mirror of the gems in `directory` (absolute), which also has their list. The files are read when the tree is used. */
export async function gemMirrorTree(directory: string, { mtime, timeOf }: MirrorOptions): Promise<GemMirror> {
  const gems: IndexedGem[] = [];
  const left = new Map<string, string>();
  for (const name of (await readdir(directory)).filter((one) => one.endsWith(".gem")).sort()) {
    try {
      const gem = await readIndexedGem(path.join(directory, name), name);
      if (name === `${gem.fullName}.gem`) gems.push(gem);
      else left.set(name, `it is ${gem.fullName}`);
    } catch (error) {
      // RubyGems may understand what is not understood here.
      if (!(error instanceof UserError) || error.code !== "bad-gem") throw error;
      left.set(name, error.message);
    }
  }
  const tree = new FileTree();
  for (const [name, node] of await treeFromDirectory(directory, { mtime })) {
    if (node.type === "file") tree.set(`${gemMirror}/gems/${name}`, { ...node, mtime: timeOf(name) });
  }
  for (const [name, bytes] of gemIndexFiles(gems))
    tree.addFile(`${gemMirror}/${name}`, bytesContent(bytes), { mtime });
  return { tree: tree.ensureParents({ mtime }), left };
}
