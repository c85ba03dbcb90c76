/**
 * A Core ISO looked into: its boot folder taken out, and what later steps must know of it. Where the ISO comes from is not
 * known here.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  FileTree,
  layOutTree,
  mergeLayers,
  readInitrd,
  readIsoFiles,
  type UnpackLimits,
} from "../../src/formats/index.ts";
import type { CoreFacts } from "./core-facts.ts";
import { writeListing } from "./tree-listing.ts";

/** Where the parts of a Core ISO go; all absolute. */
interface CorePlaces {
  /** An existing folder. */
  readonly boot: string;
  /** The facts, as `readCoreFacts` reads them. */
  readonly core: string;
  /** What the initrd holds, for the layers that lie on it. */
  readonly listing: string;
}

/**
 * Takes the ISO at `iso` (absolute) apart; `name` is how messages call it, `scratch` an existing folder, `limits` how much its
 * initrd may unpack to. Throws a `UserError` when it is no Core ISO, or its kernel's release is not plain.
 */
export async function openCoreIso(
  iso: string,
  name: string,
  places: CorePlaces,
  scratch: string,
  limits: UnpackLimits = {},
): Promise<void> {
  const whole = await readIsoFiles(iso, ["boot"], { ...limits, label: name }).catch((error: unknown) => {
    throw error instanceof UserError && error.code === "member-missing" ? notCore(name) : error;
  });
  const boot = new FileTree();
  for (const [entry, node] of whole) if (entry !== "boot") boot.set(entry.slice("boot/".length), node);
  const files = findBootFiles(boot, name);
  await layOutTree(boot, places.boot, { label: `${name}: boot` });
  const initrd = path.join(places.boot, files.initrd);
  const tree = await readMerged(initrd, `${name}: boot/${files.initrd}`, scratch, limits);
  await writeListing(tree, places.listing);
  const facts: CoreFacts = { ...files, kernelRelease: findKernelRelease(tree, files.initrd) };
  await writeFile(places.core, `${JSON.stringify(facts, undefined, 2)}\n`);
}

/** Kernel and initrd by the names that Tiny Core gives them (its 32-bit and 64-bit releases). */
function findBootFiles(boot: FileTree, name: string): Pick<CoreFacts, "kernel" | "initrd"> {
  for (const [kernel, initrd] of [
    ["vmlinuz64", "corepure64.gz"],
    ["vmlinuz", "core.gz"],
  ] as const) {
    if (boot.get(kernel)?.type === "file" && boot.get(initrd)?.type === "file") return { kernel, initrd };
  }
  throw notCore(name);
}

function notCore(name: string): UserError {
  return new UserError(
    "the ISO has neither boot/core.gz with boot/vmlinuz nor boot/corepure64.gz with boot/vmlinuz64",
    {
      code: "not-a-core-iso",
      where: name,
      hint: "use the ISO of a Tiny Core release (Core or CorePure64)",
    },
  );
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

/** The one folder below lib/modules names the kernel's release. */
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
