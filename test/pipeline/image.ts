/**
 * An ISO of ours, taken apart: what is in it, its initrd's members, and the file tree that a kernel makes of them. A second
 * reading goes through cpio alone.
 */
import path from "node:path";
import {
  type FileTree,
  type InitrdMember,
  mergeLayers,
  readInitrd,
  type TreeNode,
} from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { type IsoEntry, listIso, unpackIso } from "../support/xorriso.ts";

usesPrograms("cpio");

export interface Image {
  readonly entries: readonly IsoEntry[];
  /** Absolute path of the directory that holds the ISO's files. */
  readonly directory: string;
  /** Absolute path of the initrd in it. */
  readonly initrd: string;
  readonly members: readonly InitrdMember[];
  readonly tree: FileTree;
}

/** Unpacks `iso` below `directory`, which is made; both absolute. */
export async function readImage($: Shell, iso: string, directory: string): Promise<Image> {
  const unpacked = path.join(directory, "iso");
  const entries = await listIso($, iso);
  await unpackIso($, iso, unpacked);
  const name = entries.find((entry) => /^boot\/core(pure64)?\.gz$/.test(entry.path))?.path;
  if (name === undefined) throw new Error(`${iso} has no initrd`);
  const initrd = path.join(unpacked, name);
  const members = await readInitrd(initrd, { spoolDir: path.join(directory, "members") });
  return {
    entries,
    directory: unpacked,
    initrd,
    members,
    tree: mergeLayers(members.map((one) => one.tree)).tree,
  };
}

/** Makes names that hold a version of one of the distribution's packages the same for every version. */
export function maskVersions(text: string, kernelRelease: string): string {
  return text
    .replaceAll(kernelRelease, "KERNEL")
    .replace(/(opt\/gems\/[a-z_]+)-\d[^/ ]*\.gem/, "$1-VERSION.gem")
    .replace(/(usr\/local\/lib\/ruby\/gems)\/\d[^/ ]*/, "$1/VERSION")
    .replace(/(\/(?:gems|specifications)\/[a-z_]+)-\d[^/ ]*?(\.gemspec)? /, "$1-VERSION$2 ")
    .replace(/(opt\/rubygems)-\d[^/ ]*\.tgz/, "$1-VERSION.tgz")
    .replace(/(tce\.installed\/mcollective)-\d[^/ ]*/, "$1-VERSION");
}

/** One line: path, type, mode, owner, and a link's target or a device's numbers. */
export function describeNode(name: string, node: TreeNode): string {
  const words = [name, node.type, node.mode.toString(8).padStart(4, "0"), `${node.uid}:${node.gid}`];
  if (node.type === "symlink") words.push("->", node.target);
  if (node.type === "char" || node.type === "block") words.push(`${node.major},${node.minor}`);
  return words.join(" ");
}

export function listTree(tree: FileTree): readonly string[] {
  return [...tree].map(([name, node]) => describeNode(name, node));
}

/** As `listTree`, with each file's size, or a digest of its content where `content` says so. */
export async function describeTree(tree: FileTree): Promise<ReadonlyMap<string, string>> {
  const lines = new Map<string, string>();
  for (const [name, node] of tree) {
    const content = node.type === "file" ? ` ${await tree.contentDigest(name)}` : "";
    lines.set(name, `${describeNode(name, node)}${content}`);
  }
  return lines;
}

const listed =
  /^([-dlcbp])([-rwxsStT]{9})\s+\d+\s+(\d+)\s+(\d+)\s+(\d+|\d+,\s*\d+)\s+\w{3}\s+\d+\s+(?:\d{4}|\d\d:\d\d)\s(.*)$/;

/** What cpio says of a member: path → type letter, mode letters, owner, and size, numbers or target. */
export async function listByCpio(
  $: Shell,
  initrd: string,
  member: InitrdMember,
): Promise<ReadonlyMap<string, string>> {
  const unpack = member.compression === "gzip" ? "gzip -dc" : "cat";
  const command = `tail -c +${member.offset + 1} "$1" | head -c ${member.size} | ${unpack} | cpio -itvn --quiet`;
  const { stdout } = await $`sh -c ${command} sh ${initrd}`;
  const lines = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    if (line === "") continue;
    const [, letter = "", letters = "", uid, gid, size = "", rest = ""] = listed.exec(line) ?? [];
    if (letter === "") throw new Error(`cpio printed: ${line}`);
    const [name = "", target] = letter === "l" ? rest.split(" -> ") : [rest];
    const detail = letter === "l" ? target : letter === "d" ? "" : size.replace(/\s+/g, "");
    lines.set(name, `${letter}${letters} ${uid}:${gid} ${detail}`);
  }
  return lines;
}

/** The same line for an entry of a tree. */
export function likeCpio(node: TreeNode): string {
  const letter = { file: "-", directory: "d", symlink: "l", char: "c", block: "b", fifo: "p" }[node.type];
  const detail =
    node.type === "file"
      ? `${node.content.kind === "bytes" ? node.content.bytes.length : node.content.size}`
      : node.type === "symlink"
        ? node.target
        : node.type === "char" || node.type === "block"
          ? `${node.major},${node.minor}`
          : node.type === "fifo"
            ? "0"
            : "";
  return `${letter}${modeLetters(node.mode)} ${node.uid}:${node.gid} ${detail}`;
}

function modeLetters(mode: number): string {
  const letters = [..."rwxrwxrwx"].map((letter, index) => ((mode & (0o400 >> index)) === 0 ? "-" : letter));
  const specials: readonly (readonly [bit: number, at: number, set: string, bare: string])[] = [
    [0o4000, 2, "s", "S"],
    [0o2000, 5, "s", "S"],
    [0o1000, 8, "t", "T"],
  ];
  for (const [bit, at, set, bare] of specials) {
    if ((mode & bit) !== 0) letters[at] = letters[at] === "x" ? set : bare;
  }
  return letters.join("");
}
