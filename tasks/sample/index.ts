/**
 * The sample source: a small Core-compatible system with extensions, gems and extras, made on this machine from the
 * distribution's own packages and laid out like a Tiny Core mirror (release directory `14.x`, arch `x86_64`).
 */

import type { PackageWishes } from "../debian/package-closure.ts";
import { basePackages, buildBase } from "./base.ts";
import { catalogue, satisfiedPackages } from "./extension-catalogue.ts";
import { type BuildOptions, buildExtensions } from "./extensions.ts";
import { buildExtras, extraPackages } from "./extras.ts";
import { buildGems, gemPackages } from "./gems.ts";
import { mcollectivePackages } from "./mcollective.ts";

export type { PackageWishes } from "../debian/package-closure.ts";
export type { BuildOptions } from "./extensions.ts";

/** Everything that the sample source is made of; the `wanted` of `planPackages`. */
export const samplePackages: PackageWishes = {
  base: basePackages,
  closed: catalogue.flatMap((entry) => entry.packages),
  alone: [...gemPackages, ...extraPackages],
  optional: mcollectivePackages,
  satisfied: satisfiedPackages,
};

interface SampleOptions extends BuildOptions {
  /** Absolute path of `tasks/sample/rootfs`. */
  readonly rootfs: string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

interface SampleSummary {
  /** As `uname -r` prints it; `NAME-KERNEL.tcz` stands for this release. */
  readonly kernelRelease: string;
  /** Without `.tcz`, in byte order. */
  readonly extensions: readonly string[];
  /** `NAME-VERSION.gem` */
  readonly gems: readonly string[];
  readonly extras: readonly string[];
}

/**
 * Builds the whole mirror in `outDir` (which should be empty): the base's ISO below `14.x/x86_64/release`, extensions and
 * indexes below `14.x/x86_64/tcz`, the gem server's files below `gems`, tarballs below `extras`.
 * The same packages, code and epoch make the same bytes.
 */
export async function buildSample(options: SampleOptions): Promise<SampleSummary> {
  const { $, downloads, rootfs, workDir, outDir, epoch, signal, log } = options;
  // The base's compression and the extensions' packing are each one process: side by side they take half the time.
  const stop = new AbortController();
  const both = { ...options, signal: AbortSignal.any([signal, stop.signal]) };
  const base = buildBase({
    $,
    packages: downloads,
    rootfs,
    workDir,
    outDir,
    epoch,
    signal: both.signal,
    log,
  });
  const rest = buildRest(both);
  // When one fails the other one is ended, and waited for: nothing writes to a directory that is being removed.
  base.catch((error: unknown) => stop.abort(error));
  rest.catch((error: unknown) => stop.abort(error));
  const [madeBase, madeRest] = await Promise.allSettled([base, rest]);
  signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  if (madeBase.status === "rejected") throw madeBase.reason;
  if (madeRest.status === "rejected") throw madeRest.reason;
  return { kernelRelease: madeBase.value.kernelRelease, ...madeRest.value };
}

async function buildRest(options: BuildOptions): Promise<Omit<SampleSummary, "kernelRelease">> {
  const extensions = await buildExtensions(options);
  const gems = await buildGems(options);
  const extras = await buildExtras(options);
  return {
    extensions: extensions.map(({ name }) => name),
    gems: gems.map(({ specification }) => `${specification.name}-${specification.version}.gem`),
    extras,
  };
}
