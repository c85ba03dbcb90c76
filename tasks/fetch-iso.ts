/**
 * The Core ISO: fetched, verified, its boot folder taken out, and looked into for what later steps must know.
 */
import { readdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { out, task, when } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { type Artefact, coreIsoArtefact } from "../src/fetch/index.ts";
import { extractIso, type FileTree, listIso, mergeLayers, readInitrd } from "../src/formats/index.ts";
import type { CoreFacts } from "./image/core-facts.ts";
import { writeListing } from "./image/tree-listing.ts";
import { sampleSource } from "./sample-source.ts";
import { isoUrl, source } from "./settings/options.ts";
import { type Source, sourceEnv, sourceInputs, sourceParams, withSource } from "./source/index.ts";
import { absoluteLocation } from "./source/source-locations.ts";
import { lockInput } from "./source/source-lock.ts";

export const fetchIso = task({
  name: "fetch-iso",
  description: "Fetch and verify the Core ISO, and take its boot files out",
  variants: "shared",
  needs: { sample: when(source, "sample", sampleSource) },
  inputs: { ...sourceInputs, lock: lockInput((name) => name.endsWith(".iso")) },
  params: { ...sourceParams, isoUrl },
  tools: ["xorriso"],
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    iso: out.file("Core-current.iso"),
    boot: out.directory("boot"),
    core: out.file("core.json"),
    /** What the initrd holds, for the layers that lie on it. */
    listing: out.file("initrd.json"),
  },
  async run(context) {
    const { $, outputs, params, scratch } = context;
    const name = await withSource(context, async (opened) => {
      const wanted = isoArtefact(opened, params.isoUrl);
      const lines = await opened.fetch([wanted]);
      await opened.place(lines.get(wanted.name), outputs.iso);
      return `${wanted.name} (${wanted.url})`;
    });
    const files = findBootFiles(await listIso($, outputs.iso), name);
    await extractIso($, outputs.iso, ["boot"], path.join(scratch, "iso"));
    for (const entry of await readdir(path.join(scratch, "iso", "boot"))) {
      await rename(path.join(scratch, "iso", "boot", entry), path.join(outputs.boot, entry));
    }
    const tree = await readMerged(path.join(outputs.boot, files.initrd), scratch);
    await writeListing(tree, outputs.listing);
    const facts: CoreFacts = { ...files, kernelRelease: findKernelRelease(tree, files.initrd) };
    await writeFile(outputs.core, `${JSON.stringify(facts, undefined, 2)}\n`);
  },
});

/** The Core ISO of the source, or the one at a URL of the user's. */
export function isoArtefact(opened: Pick<Source, "mirror">, given: string | undefined): Artefact {
  if (given === undefined) return coreIsoArtefact(opened.mirror);
  const url = absoluteLocation(given);
  const name = path.posix.basename(new URL(url, "file:///").pathname);
  return {
    name: name.endsWith(".iso") ? name : `${name}.iso`,
    url,
    kind: "iso9660",
    md5Url: `${url}.md5.txt`,
    urgent: true,
  };
}

/** Kernel and initrd by the names that Tiny Core gives them (its 32-bit and 64-bit releases). */
function findBootFiles(
  entries: readonly { readonly path: string }[],
  name: string,
): Pick<CoreFacts, "kernel" | "initrd"> {
  const paths = new Set(entries.map((entry) => entry.path));
  for (const [kernel, initrd] of [
    ["vmlinuz64", "corepure64.gz"],
    ["vmlinuz", "core.gz"],
  ] as const) {
    if (paths.has(`boot/${kernel}`) && paths.has(`boot/${initrd}`)) return { kernel, initrd };
  }
  throw new UserError(
    "this ISO has neither boot/core.gz with boot/vmlinuz nor boot/corepure64.gz with boot/vmlinuz64",
    {
      code: "not-a-core-iso",
      where: name,
      hint: "name the ISO of a Tiny Core release (Core or CorePure64)",
    },
  );
}

/** The initrd as the kernel would see it, all of its members applied. */
async function readMerged(initrd: string, scratch: string): Promise<FileTree> {
  const members = await readInitrd(initrd, { spoolDir: path.join(scratch, "initrd") });
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
      ? "the initrd has no folder below lib/modules, so its kernel's release is not known"
      : `the initrd has modules of several kernels: ${[...releases].join(", ")}`,
    { code: "kernel-release", where: `boot/${initrd}`, hint: "use the initrd of a Tiny Core release" },
  );
}
