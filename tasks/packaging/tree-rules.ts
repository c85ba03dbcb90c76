/**
 * What the tree of an extension must not have, and what would not work on the booted machine.
 *
 * Facts: Core-scripts, usr/bin/tce-load (what it mounts, links and runs); elf(5).
 */
import path from "node:path";
import { type FileTree, printName, readElfMachine, readNeededLibraries } from "../../src/formats/index.ts";
import { ownExtensionError } from "./own-extension-error.ts";

/** Where tce-load looks for the script of a loaded extension. */
export const scriptsDirectory = "usr/local/tce.installed";

interface Surroundings {
  /** The extension's file name, with the kernel's release. */
  readonly name: string;
  /** The directory that holds the tree, as users name it. */
  readonly shown: string;
  /** As `uname -r` prints it in the image. */
  readonly kernelRelease: string;
  /** e_machine of the image's programs. */
  readonly machine: number;
  /** Core's files. */
  readonly core: FileTree;
}

interface TreeReport {
  /** One sentence for each thing that will not work as it may be meant. */
  readonly notes: readonly string[];
  /** Libraries that files of the tree ask for and neither it nor Core has, each with the first file that asks. */
  readonly missing: ReadonlyMap<string, string>;
}

const moduleDirectory = /^(?:usr\/)?lib\/modules(?:\/|$)/;
const ownModule = /^usr\/local\/lib\/modules\/([^/]+)\/(.*)\.ko(\.gz|\.xz|\.zst)?$/;
/** Programs and libraries are read whole, to see what they link. */
const largestProgram = 256 * 1024 * 1024;

/**
 * Checks the tree (relative to the image's root).
 * @throws UserError `own-extension` for what certainly does not work, `bad-elf`
 */
export async function checkTree(tree: FileTree, around: Surroundings): Promise<TreeReport> {
  const { name, shown, core } = around;
  const notes: string[] = [];
  const missing = new Map<string, string>();
  const there = new Set([...tree.paths(), ...core.paths()].map((entry) => path.posix.basename(entry)));
  const lower = new Map<string, string>();
  const hidden: string[] = [];
  for (const [entry, node] of tree) {
    const where = `${shown}/${printName(entry)}`;
    refuseName(entry, where);
    const same = lower.get(entry.toLowerCase());
    if (same !== undefined) notes.push(`${where}: differs from ${printName(same)} in case only`);
    lower.set(entry.toLowerCase(), entry);
    if (node.type === "directory") continue;
    refusePlace(entry, where, around);
    if (core.has(entry)) hidden.push(printName(entry));
    if (node.type === "symlink") refuseEscape(entry, node.target, where);
    const doubt = ownModule.test(entry) ? moduleDoubt(entry) : undefined;
    if (doubt !== undefined) notes.push(`${where}: ${doubt}`);
    if (node.type !== "file" || /(^|\/)firmware\//.test(entry)) continue;
    for (const library of await neededBy(tree, entry, where, around))
      if (!there.has(library) && !missing.has(library)) missing.set(library, entry);
  }
  if (hidden.length > 0)
    notes.push(
      `${name}: Core has ${hidden.slice(0, 5).join(", ")}${hidden.length > 5 ? ` and ${hidden.length - 5} more` : ""} already, which loading does not replace`,
    );
  const top = tree.paths().filter((entry) => entry.split("/").length <= 2);
  if (top.length === 1 && tree.get(top[0] ?? "")?.type !== "directory")
    notes.push(`${name}: tce-load takes an extension with one entry for one without files, and ignores it`);
  return { notes, missing };
}

function refuseName(entry: string, where: string): void {
  if (/[\r\n]/.test(entry))
    throw ownExtensionError(
      "the name has a line break",
      where,
      "rename it: the .list file has one path a line",
    );
}

function refusePlace(entry: string, where: string, { name, kernelRelease }: Surroundings): void {
  if (moduleDirectory.test(entry))
    throw ownExtensionError(
      "kernel modules of an extension do not belong into lib/modules, which is Core's",
      where,
      `put them into usr/local/lib/modules/${kernelRelease}/kernel/`,
    );
  const release = ownModule.exec(entry)?.[1];
  if (release !== undefined && release !== kernelRelease)
    throw ownExtensionError(
      `the module is for the kernel ${release}, but the image's is ${kernelRelease}`,
      where,
      `build it for ${kernelRelease}`,
    );
  const script = entry.startsWith(`${scriptsDirectory}/`)
    ? entry.slice(scriptsDirectory.length + 1)
    : undefined;
  const expected = name.replace(/\.tcz$/, "");
  if (script !== undefined && script !== expected)
    throw ownExtensionError(
      `tce-load never runs this script: it looks for ${scriptsDirectory}/${expected}`,
      where,
      `rename it to ${expected}, or use the file "installed" beside tree/`,
    );
}

function moduleDoubt(entry: string): string | undefined {
  const [, , below = "", packed = ""] = ownModule.exec(entry) ?? [];
  if (!below.startsWith("kernel/")) return "Core's depmod looks for modules in kernel/ only";
  return packed === "" ? "modules of extensions are packed with gzip, as .ko.gz" : undefined;
}

function refuseEscape(entry: string, target: string, where: string): void {
  const meant = path.posix.join(path.posix.dirname(entry), target);
  if (!target.startsWith("/") && (meant === ".." || meant.startsWith("../")))
    throw ownExtensionError(
      `the link leads out of the image: ${printName(target)}`,
      where,
      "make it absolute, or shorten it",
    );
}

/** The libraries that a program or library asks for; none for other files. */
async function neededBy(
  tree: FileTree,
  entry: string,
  where: string,
  { machine }: Surroundings,
): Promise<readonly string[]> {
  const node = tree.get(entry);
  if (node?.type !== "file") return [];
  const { content } = node;
  if ((content.kind === "bytes" ? content.bytes.length : content.size) > largestProgram) return [];
  const bytes = await tree.read(entry);
  const made = readElfMachine(bytes);
  if (made === undefined || !isLinked(bytes)) return [];
  const needed = readNeededLibraries(bytes, where) ?? [];
  // A static 32-bit program runs on a 64-bit kernel.
  if (made !== machine && !(made === 3 && machine === 62 && needed.length === 0))
    throw ownExtensionError(
      `the program is for another machine (ELF machine ${made}), but the image's programs are for ${machine}`,
      where,
      "build it for the image's architecture",
    );
  const asPath = needed.find((library) => library.includes("/"));
  if (asPath !== undefined)
    throw ownExtensionError(
      `the program asks for a library by its path, which only exists where it was linked: ${printName(asPath)}`,
      where,
      "link it with -l, or give the library a soname",
    );
  return needed;
}

/** Whether an ELF file is a program or a library (ET_EXEC, ET_DYN), rather than an object or a module. */
function isLinked(bytes: Buffer): boolean {
  return [2, 3].includes(bytes.readUInt16LE(16));
}
