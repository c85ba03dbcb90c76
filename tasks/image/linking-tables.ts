/**
 * The tables of libraries and modules, made by the host's own tools of a tree that is laid out in a directory: nothing of the
 * image runs. Which image needs them is not known here.
 *
 * Tables: ldconfig(8), depmod(8), modules.dep(5).
 */
import { readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { bytesContent, entriesBelow, FileTree } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";

/** What the ldconfig of a machine knows, by Node's name of the machine: values of e_machine, as `readElfMachine` gives them. */
const families: Readonly<Record<string, readonly number[]>> = {
  x64: [3, 62],
  ia32: [3, 62],
  arm64: [40, 183],
  arm: [40, 183],
};

/** The kinds of machine whose libraries this one's ldconfig puts into its cache; it passes silently over others. */
export function isKnownMachine(machine: number): boolean {
  return families[arch()]?.includes(machine) ?? false;
}

/**
 * Has ldconfig look at the libraries below `root` (absolute). Returns the cache, and the links by which programs ask for
 * libraries, as far as they were missing or led to an older one.
 */
export async function libraryTables($: Shell, root: string, mtime: number): Promise<FileTree> {
  const cache = "etc/ld.so.cache";
  const before = await linksBelow(root);
  // -i: without memory of earlier runs.
  await $`ldconfig -i -r ${root}`;
  const tables = new FileTree();
  tables.addFile(cache, bytesContent(await readFile(path.join(root, cache))), { mtime });
  for (const [name, target] of await linksBelow(root)) {
    if (before.get(name) !== target) tables.addSymlink(name, target, { mtime });
  }
  return tables;
}

/** Targets of all links below a directory, by their paths in it. */
async function linksBelow(root: string): Promise<ReadonlyMap<string, string>> {
  const links = new Map<string, string>();
  for (const { path: name, type } of await entriesBelow(root))
    if (type.isSymbolicLink()) links.set(name, await readlink(path.join(root, name)));
  return links;
}

/** What depmod reads beside the modules, and does not write. */
const given = ["modules.order", "modules.builtin", "modules.builtin.modinfo"];

/**
 * Has depmod look at the modules of a kernel release below `root` (absolute), whose directory is `directory` (relative to it).
 * Returns depmod's tables; the modules below `root` are changed.
 */
export async function moduleTables(
  $: Shell,
  { root, directory, release, mtime }: { root: string; directory: string; release: string; mtime: number },
): Promise<FileTree> {
  const { stdout } = await $`depmod --version`;
  const hidden = stdout.includes("-ZLIB") ? await hideGzip(root) : [];
  await $`depmod -b ${root} ${release}`;
  const tables = new FileTree();
  for (const name of (await readdir(path.join(root, directory))).filter((one) =>
    one.startsWith("modules."),
  )) {
    if (given.includes(name)) continue;
    let text = await readFile(path.join(root, directory, name), "latin1");
    for (const module of hidden) text = text.replaceAll(`${module}.xz`, `${module}.gz`);
    if (text !== "")
      tables.addFile(path.posix.join(directory, name), bytesContent(Buffer.from(text, "latin1")), { mtime });
  }
  return tables;
}

/**
 * A depmod without zlib passes over modules that end in `.gz`. It goes by a file's first bytes and not by its name when it
 * reads one, so they are unpacked under a name that it does take, of the same length: in its tables the right one is put
 * back. Returns their names without the last ending.
 */
async function hideGzip(root: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { path: name, type } of await entriesBelow(root)) {
    if (!type.isFile() || !name.endsWith(".ko.gz")) continue;
    const file = path.join(root, name.slice(0, -".gz".length));
    await writeFile(`${file}.xz`, await promisify(gunzip)(await readFile(`${file}.gz`)));
    await rm(`${file}.gz`);
    names.push(path.basename(file));
  }
  return names;
}
