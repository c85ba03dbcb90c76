/**
 * The sample source: a Core-compatible system with extensions, gems and extras, made of the distribution's own
 * packages and laid out as a Tiny Core mirror, so that the whole pipeline can be tried without one.
 */
import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { type BlobAccess, type CommandContext, files, out, task } from "../src/engine/index.ts";
import { downloadPackages } from "./debian/downloads.ts";
import type { PackagePlan } from "./debian/packages.ts";
import { packagesEpoch } from "./debian/packages-epoch.ts";
import { buildSample } from "./sample/index.ts";
import { samplePackagePlan } from "./sample-packages.ts";
import { ofPackage } from "./settings/package.ts";
import { proxyVariables } from "./settings/proxy-variables.ts";

export const sampleSource = task({
  name: "sample-source",
  description: "Make the sample source from the distribution's packages",
  internal: true,
  variants: "shared",
  needs: { packages: samplePackagePlan },
  inputs: { rootfs: files("**", { root: ofPackage("tasks/sample/rootfs") }) },
  tools: ["apt-get", "dpkg-deb", "mksquashfs", "unsquashfs", "xorriso", "depmod", "libdeflate-gzip"],
  passEnv: proxyVariables,
  outputs: { mirror: out.directory("mirror") },
  async run({ $, needs, inputs, outputs, scratch, log, signal, blobs }) {
    const plan = JSON.parse(await readFile(needs.packages.plan, "utf8")) as PackagePlan;
    const dir = path.join(scratch, "packages");
    await linkKnown(plan, dir, blobs);
    const downloads = await downloadPackages({ $, plan, dir, signal, log });
    await keepDownloads(plan, dir, blobs);
    const summary = await buildSample({
      $,
      plan,
      downloads,
      rootfs: inputs.rootfs.root,
      workDir: path.join(scratch, "work"),
      outDir: outputs.mirror,
      epoch: await packagesEpoch(Object.values(downloads)),
      signal,
      log,
    });
    log(
      `kernel ${summary.kernelRelease}, ${summary.extensions.length} extensions, ${summary.gems.length} gems`,
    );
  },
});

/** The sha256 of every package that the sample source is made of; the cache has them once it was made. */
export async function sampleDownloads(build: CommandContext["build"]): Promise<readonly string[]> {
  const plan = JSON.parse(await readFile((await build(samplePackagePlan)).plan, "utf8")) as PackagePlan;
  return plan.packages.map(({ sha256 }) => sha256);
}

/** Packages that an earlier run downloaded are in the store: they are linked to, and not fetched again. */
export async function linkKnown(plan: PackagePlan, dir: string, blobs: BlobAccess): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const { fileName, sha256 } of plan.packages) {
    if (blobs.has(sha256)) await symlink(blobs.pathOf(sha256), path.join(dir, fileName));
  }
}

/** Puts the downloaded packages of a plan into the store; their files in `dir` become links to it. */
export async function keepDownloads(plan: PackagePlan, dir: string, blobs: BlobAccess): Promise<void> {
  for (const { fileName, sha256 } of plan.packages) {
    if (blobs.has(sha256)) continue;
    await blobs.adopt(path.join(dir, fileName), sha256);
    await symlink(blobs.pathOf(sha256), path.join(dir, fileName));
  }
}
