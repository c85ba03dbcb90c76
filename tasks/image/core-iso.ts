/**
 * A Core ISO looked into: its boot directory taken out, and what later steps must know of it. Where the ISO comes from is not
 * known here.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  contentSize,
  type FileNode,
  type FileTree,
  layOutTree,
  mergeLayers,
  printName,
  readInitrd,
  readIsoFiles,
  readIsoTree,
  sniff,
  streamContent,
  type UnpackLimits,
  writeDigested,
} from "../../src/formats/index.ts";
import type { CoreFacts } from "./core-facts.ts";
import { bootDirectories, type CoreLayout, layOutCore } from "./core-layout.ts";
import { notCore } from "./core-refusal.ts";
import { paddingAfter } from "./layers.ts";
import { writeListing } from "./tree-listing.ts";

/** Where the parts of a Core ISO go; all absolute. */
interface CorePlaces {
  /** An existing directory. */
  readonly boot: string;
  /** The facts, as `readCoreFacts` reads them. */
  readonly core: string;
  /** What the initrd holds, for the layers that lie on it. */
  readonly listing: string;
}

interface OpeningContext {
  /** Absolute path of an existing directory. */
  readonly scratch: string;
  readonly limits?: UnpackLimits;
  readonly note?: (message: string) => void;
}

/**
 * Takes the ISO at `iso` (absolute) apart; `name` is how messages call it, `limits` how much its initrd may unpack to.
 * Throws a `UserError` when it is no Core ISO, or its kernel's release is not plain.
 */
export async function openCoreIso(
  iso: string,
  name: string,
  places: CorePlaces,
  { scratch, limits = {}, note }: OpeningContext,
): Promise<void> {
  const layout = await readLayout(iso, name, limits);
  const { boot, kernel, parts } = layout;
  await layOutTree(boot, places.boot, { label: `${name}: boot` });
  const initrd = path.join(places.boot, layout.initrd);
  await writeDigested(initrd, joinParts(parts));
  const tree = await readMerged(initrd, `${name}: boot/${layout.initrd}`, scratch, limits);
  await writeListing(tree, places.listing);
  if (layout.startsInstead !== undefined) {
    note?.(
      `the boot menu starts "${printName(layout.startsInstead)}" by itself, and the image only when it is chosen`,
    );
  }
  const kernelRelease = findKernelRelease(tree, layout.initrd);
  const facts: CoreFacts = { kernel, initrd: layout.initrd, kernelRelease, isChanged: layout.isChanged };
  await writeFile(places.core, `${JSON.stringify(facts, undefined, 2)}\n`);
}

/**
 * The host's programs that unpack the initrd of the ISO at `iso` (absolute), by how its parts begin; nothing is unpacked. `name` is how
 * messages call the ISO. Throws a `UserError` when it is no Core ISO.
 */
export async function initrdPackers(iso: string, name: string): Promise<readonly string[]> {
  const packers = new Set<string>();
  for (const { content } of (await readLayout(iso, name, {})).parts) {
    for await (const chunk of streamContent(content)) {
      const magic = sniff(chunk);
      if (magic === "xz" || magic === "zstd") packers.add(magic);
      break;
    }
  }
  return [...packers].sort();
}

async function readLayout(iso: string, name: string, limits: UnpackLimits): Promise<CoreLayout> {
  const tops = (await readIsoTree(iso))
    .paths()
    .filter((path) => bootDirectories.includes(path.toLowerCase()));
  if (tops.length === 0) throw notCore(name);
  return await layOutCore(await readIsoFiles(iso, tops, { ...limits, label: name }), name);
}

/** One after the other, each at a multiple of four bytes, as the kernel wants plain archives. */
async function* joinParts(parts: readonly FileNode[]): AsyncGenerator<Uint8Array> {
  for (const [index, { content }] of parts.entries()) {
    yield* streamContent(content);
    if (index < parts.length - 1) yield Buffer.alloc(paddingAfter(contentSize(content)));
  }
}

/** The initrd as the kernel would see it, all of its members applied. */
async function readMerged(
  initrd: string,
  name: string,
  scratch: string,
  limits: UnpackLimits,
): Promise<FileTree> {
  const members = await readInitrd(initrd, { spoolDir: path.join(scratch, "initrd"), name, limits });
  return mergeLayers(members.map((member) => member.tree)).tree;
}

/** The one directory below lib/modules names the kernel's release. */
function findKernelRelease(tree: FileTree, initrd: string): string {
  const releases = new Set<string>();
  for (const [entry, node] of tree) {
    const release = /^(?:usr\/)?lib\/modules\/([^/]+)(?:\/|$)/.exec(entry)?.[1];
    if (release !== undefined && node.type !== "symlink") releases.add(release);
  }
  const [release, ...others] = releases;
  if (release !== undefined && others.length === 0) return release;
  throw new UserError(
    release === undefined
      ? "the initrd has no lib/modules/RELEASE, so its kernel release is unknown"
      : `the initrd has modules for several kernels: ${[...releases].join(", ")}`,
    { code: "kernel-release", where: `boot/${initrd}`, hint: "use the initrd of a Tiny Core release" },
  );
}
