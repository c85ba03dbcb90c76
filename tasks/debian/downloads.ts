/** Fetching the packages of a plan with apt, several at once, each checked against the plan. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, systemErrorCode, UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";
import type { PackagePlan, PlannedPackage } from "./packages.ts";

interface DownloadOptions {
  readonly $: Shell;
  readonly plan: PackagePlan;
  /** Absolute; made if it is not there. Holds the package files by their names. */
  readonly dir: string;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
  /** What errors call a package; by default its name. */
  readonly label?: (name: string) => string;
}

/** apt opens one connection per mirror and process; a few at once hide the mirror's latency. */
const processes = 4;

/**
 * Brings every package of the plan into `dir`, keeping those that are there with the planned size and sha256.
 * Returns the absolute path of each file by package name.
 * Throws `UserError`: `package-download` when apt fails, `package-mismatch` for other bytes than planned;
 * a file that does not fit the plan never gets its final name.
 */
export async function downloadPackages(options: DownloadOptions): Promise<Readonly<Record<string, string>>> {
  const { plan, dir, log, signal } = options;
  await mkdir(dir, { recursive: true });
  const missing: PlannedPackage[] = [];
  for (const wanted of plan.packages) {
    signal?.throwIfAborted();
    if ((await findMismatch(join(dir, wanted.fileName), wanted)) !== undefined) missing.push(wanted);
  }
  if (missing.length > 0) {
    log?.(`downloading ${missing.length} of ${plan.packages.length} packages with apt-get`);
    const unchecked = await mkdtemp(join(dir, ".unchecked-"));
    try {
      const results = await Promise.allSettled(
        splitBySize(missing, processes).map((chunk) => downloadChunk(options, unchecked, chunk)),
      );
      for (const result of results) if (result.status === "rejected") throw result.reason;
    } finally {
      await rm(unchecked, { recursive: true, force: true });
    }
  }
  return Object.fromEntries(plan.packages.map((wanted) => [wanted.name, join(dir, wanted.fileName)]));
}

async function downloadChunk(
  { $, dir, signal, label = (name) => name }: DownloadOptions,
  unchecked: string,
  chunk: readonly PlannedPackage[],
): Promise<void> {
  const exact = chunk.map((wanted) => `${wanted.name}=${wanted.version}`);
  const run = $({ cwd: unchecked, nothrow: true, ...(signal === undefined ? {} : { signal }) });
  // As root, apt would drop to a user who may not write here; it falls back, but with a warning for each file.
  const result = await run`apt-get download -qq -o APT::Sandbox::User=root ${exact}`;
  signal?.throwIfAborted();
  if (result.exitCode !== 0) {
    throw new UserError(`apt-get could not download packages: ${lastError(result.stderr)}`, {
      code: "package-download",
      where: chunk.map((wanted) => label(wanted.name)).join(", "),
      hint: "check the network and apt's proxy settings; if the mirror changed, run `apt-get update` as root",
    });
  }
  for (const wanted of chunk) {
    const file = join(unchecked, wanted.fileName);
    const mismatch = await findMismatch(file, wanted);
    if (mismatch !== undefined) {
      throw new UserError(`${wanted.fileName} is not the planned package: ${mismatch}`, {
        code: "package-mismatch",
        where: `${label(wanted.name)} (${wanted.uri})`,
        hint: "run `apt-get update` as root, then build again",
      });
    }
    await rename(file, join(dir, wanted.fileName));
  }
}

/** Why the file is not the planned package, or undefined if it is. */
async function findMismatch(file: string, wanted: PlannedPackage): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size !== wanted.size) return `it has ${size} bytes, expected ${wanted.size}`;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    const sha256 = hash.digest("hex");
    return sha256 === wanted.sha256 ? undefined : `its sha256 is ${sha256}, expected ${wanted.sha256}`;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "it was not downloaded";
    throw new UserError(`cannot read a downloaded package: ${messageOf(error)}`, {
      code: "unreadable-file",
      hint: "make it readable for your user, or delete it and build again",
      where: file,
      cause: error,
    });
  }
}

/** Deals packages out, largest first, to the chunk that has least; none is empty. */
function splitBySize(
  packages: readonly PlannedPackage[],
  count: number,
): readonly (readonly PlannedPackage[])[] {
  const chunks = Array.from({ length: count }, () => ({ size: 0, members: [] as PlannedPackage[] }));
  for (const wanted of [...packages].sort((a, b) => b.size - a.size)) {
    const smallest = chunks.reduce((least, chunk) => (chunk.size < least.size ? chunk : least));
    smallest.size += wanted.size;
    smallest.members.push(wanted);
  }
  return chunks.map((chunk) => chunk.members).filter((members) => members.length > 0);
}

function lastError(output: string): string {
  const lines = output.trim().split("\n");
  return lines.find((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "no reason given";
}
