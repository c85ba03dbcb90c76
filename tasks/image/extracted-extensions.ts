/**
 * Extensions unpacked into an image's tree instead of being mounted at boot: what their start scripts need is decided here, too.
 *
 * Tiny Core's `tce-load` runs `/usr/local/tce.installed/NAME` after mounting an extension, if it is executable, and otherwise creates an
 * empty file of that name; it skips an extension whose file exists.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  contentSize,
  type FileTree,
  readSquashfsTree,
  type UnpackLimits,
} from "../../src/formats/index.ts";

const installed = "usr/local/tce.installed";

/** Tiny Core's group of those who may install extensions. */
const staff = 50;

interface ExtractOptions {
  /** `ignore` replaces start scripts by Core's empty marker; `refuse` makes a start script an error. */
  readonly scripts: string;
  readonly limits: UnpackLimits;
  /** Time of an extension's directories and marker in seconds since 1970, by its file name. */
  readonly timeOf: (name: string) => number;
}

/**
 * The trees of the extensions in `directory` (absolute, with `order.json`) by their file names, dependencies first.
 * @throws UserError `extract-script`, and those of `readSquashfsTree`
 */
export async function readExtracted(
  directory: string,
  { scripts, limits, timeOf }: ExtractOptions,
): Promise<ReadonlyMap<string, FileTree>> {
  const order = JSON.parse(await readFile(path.join(directory, "order.json"), "utf8")) as readonly string[];
  const trees = new Map<string, FileTree>();
  for (const name of order) {
    const file = path.join(directory, name);
    const { size } = await stat(file);
    const tree = await readSquashfsTree({ path: file, offset: 0, size }, { limits, label: name });
    trees.set(name, withMarker(tree, name, scripts, timeOf(name)));
  }
  return trees;
}

function withMarker(tree: FileTree, name: string, scripts: string, mtime: number): FileTree {
  const marker = `${installed}/${name.replace(/\.tcz$/, "")}`;
  const script = tree.get(marker);
  const hasScript = script?.type === "file" && contentSize(script.content) > 0;
  if (hasScript && scripts === "refuse") {
    throw new UserError(`${name} has a start script, which does not run when the extension is extracted`, {
      code: "extract-script",
      where: `${name}: ${marker}`,
      hint: "load the extension from cde/ or the initrd instead, or set extract_tcz_script = ignore",
    });
  }
  tree.addDirectory(installed, { mtime, mode: 0o775, gid: staff });
  tree.addFile(marker, bytesContent(Buffer.alloc(0)), { mtime, mode: 0o644, gid: staff });
  return tree.ensureParents({ mtime });
}
