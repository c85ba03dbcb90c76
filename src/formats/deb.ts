/**
 * Debian packages: their files as a tree and their control data, through dpkg-deb or else ar and tar's decompressors.
 *
 * Nothing is laid out on the disk: a tool only decompresses the package's two tarballs, which are then read like any other.
 *
 * Format: deb(5): an ar archive of `debian-binary`, `control.tar[.*]`, `data.tar[.*]`.
 */
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { layOutTree } from "./laid-out-tree.ts";
import { createLimit, mostBytes, type UnpackLimits } from "./limits.ts";
import { decodeName, encodeName, printName } from "./names.ts";
import { type TarballPolicy, treeFromTarball } from "./tarball-tree.ts";
import { withTool } from "./tool-failure.ts";
import type { FileTree } from "./tree.ts";

export interface DebControl {
  /** Fields of the control file by name, e.g. `Package`, `Depends`; continuation lines joined with "\n". */
  readonly fields: ReadonlyMap<string, string>;
  /** Maintainer scripts that are present: `preinst`, `postinst`, `prerm`, `postrm`. They need not be text. */
  readonly scripts: ReadonlyMap<string, Buffer>;
  /** Configuration files by their paths in the package, without leading slash: deb-conffiles(5). */
  readonly conffiles: readonly string[];
  /** Lines of the triggers file, with single blanks: deb-triggers(5). */
  readonly triggers: readonly string[];
}

export interface DebOptions extends UnpackLimits {
  /** Name of the package in errors; by default its path. */
  readonly label?: string;
}

const scriptNames = ["preinst", "postinst", "prerm", "postrm"] as const;

/** Links in a package refer to the system that it is installed in. */
const dataPolicy: TarballPolicy = { links: "image", setId: true };

/** A package's control archive holds a few texts; the list of checksums of a very large one has some megabytes. */
const largestControl = 64 * 1024 * 1024;

/**
 * A package's files with the modes and owners that it gives them. Contents lie in a new file below `spoolDir` (absolute, made
 * when missing), which the caller removes when the tree is done with.
 * @throws UserError `tool-failed`, `tool-missing`, `bad-deb`, `bomb`, and those of `treeFromTarball`
 */
export async function readDebFiles(
  $: Shell,
  deb: string,
  spoolDir: string,
  options: DebOptions = {},
): Promise<FileTree> {
  const { tarball, label } = await decompress($, deb, "data", spoolDir, options);
  return await treeFromTarball(tarball, spoolDir, {
    ...dataPolicy,
    ...unlimitedRatio(options),
    inPlace: true,
    label,
  });
}

/**
 * Lays a package's files out in the directory `dir` (absolute), which must not exist or be empty. Links stay as they
 * are: code that reads the directory must not follow them.
 * @throws UserError as `readDebFiles`
 */
export async function unpackDeb($: Shell, deb: string, dir: string, options: DebOptions = {}): Promise<void> {
  await withScratch(deb, async (scratch) => {
    await layOutTree(await readDebFiles($, deb, scratch, options), dir);
  });
}

/**
 * A package's control file (UTF-8) and maintainer scripts.
 * @throws UserError as `readDebFiles`
 */
export async function readDebControl($: Shell, deb: string, options: DebOptions = {}): Promise<DebControl> {
  return await withScratch(deb, async (scratch) => {
    const limits = { ...options, maxBytes: Math.min(options.maxBytes ?? largestControl, largestControl) };
    const { tarball, label } = await decompress($, deb, "control", scratch, limits);
    const policy = { ...unlimitedRatio(limits), inPlace: true, label, setId: true, links: "none" } as const;
    const tree = await treeFromTarball(tarball, scratch, policy);
    if (tree.get("control")?.type !== "file")
      throw badDeb("its control archive has no control file", deb, options);
    const fields = parseFields((await tree.read("control")).toString("utf8"));
    const scripts = new Map<string, Buffer>();
    for (const name of scriptNames) if (tree.has(name)) scripts.set(name, await tree.read(name));
    const lines = async (name: string): Promise<readonly string[]> =>
      tree.has(name) ? decodeName(await tree.read(name)).split("\n") : [];
    return {
      fields,
      scripts,
      conffiles: parseConffiles(await lines("conffiles")),
      triggers: parseTriggers(await lines("triggers")),
    };
  });
}

/** deb-conffiles(5): an absolute path a line, without those that only an upgrade removes. */
function parseConffiles(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => /^\/+(.*\S)\s*$/.exec(line)?.[1] ?? []);
}

/** deb-triggers(5): a directive and a name; `#` starts a comment. */
function parseTriggers(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => line.replace(/#.*/, "").trim().replace(/\s+/g, " "))
    .filter((line) => line !== "");
}

/** The ratio was already checked when the tarball was decompressed. */
function unlimitedRatio(limits: UnpackLimits): UnpackLimits {
  return { ...limits, maxRatio: Number.POSITIVE_INFINITY };
}

/** Scratch files lie in the directory of the package while it is read. */
async function withScratch<T>(deb: string, use: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(`${deb}.parts-`);
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Stem = "data" | "control";

/** Writes the package's `data` or `control` archive, decompressed, to a new directory; no more of it than the limits allow. */
async function decompress(
  $: Shell,
  deb: string,
  stem: Stem,
  scratch: string,
  options: DebOptions,
): Promise<{ readonly tarball: string; readonly label: string }> {
  await mkdir(scratch, { recursive: true });
  const tarball = path.join(await mkdtemp(path.join(scratch, `${stem}-`)), `${stem}.tar`);
  const label = options.label ?? deb;
  const { size } = await stat(encodeName(deb));
  const most = mostBytes(size, options);
  try {
    await decompressWithTools($, deb, stem, tarball, most + 1, label);
  } catch (error) {
    // `head` closes the pipe at the limit, which makes the tool fail.
    await refuseBomb(tarball, size, options, label);
    throw error;
  }
  await refuseBomb(tarball, size, options, label);
  return { tarball, label: `${label}: ${stem}.tar` };
}

async function refuseBomb(
  tarball: string,
  packed: number,
  limits: UnpackLimits,
  label: string,
): Promise<void> {
  const unpacked = await stat(encodeName(tarball)).catch(() => ({ size: 0 }));
  createLimit(limits, printName(label))(packed, unpacked.size);
}

async function decompressWithTools(
  $: Shell,
  deb: string,
  stem: Stem,
  tarball: string,
  most: number,
  label: string,
): Promise<void> {
  // Run in the package's directory, so that tools' messages show a short name.
  const here = $({ cwd: path.dirname(deb) });
  const name = `./${path.basename(deb)}`;
  const taking = (tool: string) => ({
    tool,
    what: "unpack the Debian package",
    where: label,
    hint: "check that the download is complete",
  });
  if ((await $({ nothrow: true })`command -v dpkg-deb`).exitCode === 0) {
    const option = stem === "data" ? "--fsys-tarfile" : "--ctrl-tarfile";
    await withTool(taking("dpkg-deb"), () => {
      return here`dpkg-deb ${option} ${name} | head -c ${most} > ${tarball}`;
    });
    return;
  }
  const listed = await withTool(taking("ar"), () => here`ar t ${name}`);
  // Some archivers write the names with a slash at the end.
  const member = listed.stdout
    .split("\n")
    .map((one) => one.replace(/\/$/, ""))
    .find((one) => one === `${stem}.tar` || one.startsWith(`${stem}.tar.`));
  if (member === undefined) throw badDeb(`it has no ${stem}.tar`, deb, { label });
  const [program = "cat", ...options] = decompressors[member.slice(`${stem}.tar`.length)] ?? [];
  if (member !== `${stem}.tar` && program === "cat")
    throw badDeb(`${member} has an unsupported compression`, deb, { label });
  await withTool(taking(program), () => {
    return here`ar p ${name} ${member} | ${[program, ...options]} | head -c ${most} > ${tarball}`;
  });
}

/** deb(5): the ways in which the two archives may be compressed, by the end of the member's name. */
const decompressors: Readonly<Record<string, readonly string[]>> = {
  ".gz": ["gzip", "-dc"],
  ".xz": ["xz", "-dc"],
  ".zst": ["zstd", "-dc"],
  ".bz2": ["bzip2", "-dc"],
  ".lzma": ["xz", "--format=lzma", "-dc"],
};

function badDeb(why: string, deb: string, { label = deb }: DebOptions): UserError {
  return new UserError(`the Debian package cannot be used: ${why}`, {
    code: "bad-deb",
    where: printName(label),
    hint: "check that the download is complete",
  });
}

/** RFC 822-like paragraphs: deb-control(5). */
function parseFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split("\n")) {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      current = name;
      fields.set(name, (value ?? "").trim());
    } else if (current !== undefined && /^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`);
    }
  }
  return fields;
}
