/**
 * Asking upstream again for what is pinned, and saying what became of it. It neither reads nor writes the lock
 * file, and does not resolve: it is given a plan that was resolved afresh.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { didYouMean, UserError } from "../../errors/index.ts";
import { publicUrl } from "../http/location.ts";
import { type Artifact, requestOf } from "../pins/artifact.ts";
import type { FetchContext } from "../pins/fetch-artifacts.ts";
import { artifactFault, entryOf, type LockLine, type SourceLock } from "../pins/lock.ts";
import { pinnedEntry } from "../pins/pinning.ts";
import { checkUpstream, isTrusted, lineFor, upstreamDigest } from "../pins/verification.ts";
import { gemNameOf } from "../rubygems/gems.ts";
import type { Change } from "./changes.ts";

export interface Update {
  /** Lines to pin, and undefined for lines to drop. */
  readonly lines: ReadonlyMap<string, LockLine | undefined>;
  /** One for each artifact that was looked at, in the order of the plan, then what was removed. */
  readonly changes: readonly Change[];
}

/** Whether a user who writes `wanted` means this artifact: `bash`, `bash.tcz`, `facter`, `facter-1.6.10.gem`. */
export function isNamed(artifact: string, version: string | undefined, wanted: string): boolean {
  const gem = version === undefined ? undefined : gemNameOf(artifact, version);
  const tcz = /^(.+)\.tcz(\.info|\.list)?$/.exec(artifact)?.[1];
  return artifact === wanted || gem === wanted || tcz === wanted || `${tcz}.tcz` === wanted;
}

/** The lock without the lines of these names (all, when none is given): what to resolve an update with. */
export function unpin(lock: SourceLock, names: readonly string[]): SourceLock {
  if (names.length === 0) return new Map();
  return new Map(
    [...lock].filter(([file]) => !names.some((name) => isNamed(file, entryOf(lock, file)?.version, name))),
  );
}

/**
 * Asks for every artifact of the plan that `names` mean (all, when there are none), with the validators of its
 * pin. With `complete` the plan is all that the source's lock should hold, and other lines are dropped. Throws a
 * UserError for a name that means nothing, and the error of the first download that fails.
 */
export async function updateArtifacts(
  plan: readonly Artifact[],
  names: readonly string[],
  context: Omit<FetchContext, "policy">,
  options: { readonly complete?: boolean } = {},
): Promise<Update> {
  refuseUnknown(plan, names, context.lock);
  await mkdir(context.staging, { recursive: true });
  const meant = (artifact: Artifact): boolean =>
    names.length === 0 || names.some((name) => isNamed(artifact.name, artifact.version, name));
  // Dependencies that are new come along even when they were not named.
  const affected = plan.filter((artifact) => meant(artifact) || !context.lock.has(artifact.name));
  const controller = new AbortController();
  const signals = [controller.signal, ...(context.signal === undefined ? [] : [context.signal])];
  const signal = AbortSignal.any(signals);
  let failure: { readonly error: unknown } | undefined;
  const results = await Promise.all(
    affected.map(async (artifact) => {
      try {
        return await updateOne(artifact, context, signal);
      } catch (error) {
        failure ??= { error };
        controller.abort(error);
        return undefined;
      }
    }),
  );
  if (failure !== undefined) throw failure.error;
  const lines = new Map<string, LockLine | undefined>();
  const changes: Change[] = [];
  for (const result of results) {
    if (result === undefined) continue;
    lines.set(result.change.name, result.line);
    changes.push(result.change);
  }
  const planned = new Set(plan.map((artifact) => artifact.name));
  const gems = new Set(plan.flatMap((artifact) => gemNameOf(artifact.name, artifact.version ?? "") ?? []));
  for (const file of context.lock.keys()) {
    const before = entryOf(context.lock, file);
    const gem = before?.version === undefined ? undefined : gemNameOf(file, before.version);
    const superseded = gem !== undefined && gems.has(gem);
    if (planned.has(file) || !(options.complete === true || superseded)) continue;
    lines.set(file, undefined);
    if (before !== undefined) changes.push({ name: file, kind: "removed", before });
  }
  return { lines, changes };
}

function refuseUnknown(plan: readonly Artifact[], names: readonly string[], lock: SourceLock): void {
  for (const name of names) {
    const inLock = [...lock.keys()].some((file) => isNamed(file, entryOf(lock, file)?.version, name));
    if (inLock || plan.some((artifact) => isNamed(artifact.name, artifact.version, name))) continue;
    const meant = didYouMean(name, new Set([...plan.map((artifact) => artifact.name), ...lock.keys()]));
    throw new UserError(`"${name}" is neither in the lists nor in the lock`, {
      code: "unknown-artifact",
      ...(meant === undefined ? {} : { hint: meant }),
    });
  }
}

async function updateOne(
  artifact: Artifact,
  context: Omit<FetchContext, "policy">,
  signal: AbortSignal,
): Promise<{ readonly change: Change; readonly line: LockLine }> {
  const { name, url, where } = artifact;
  const fault = artifactFault(name);
  if (fault !== undefined)
    throw new UserError(`"${name}" cannot be downloaded: ${fault}`, {
      code: "bad-name",
      hint: "correct the name in the list or on the mirror",
    });
  const before = entryOf(context.lock, name);
  const target = path.join(context.staging, name);
  const validators = validatorsFor(artifact, context.lock);
  const request = {
    ...requestOf(artifact),
    target,
    signal,
    ...(validators === undefined ? {} : { validators }),
  };
  const digest = upstreamDigest(artifact, context.transport, signal);
  const outcome = await context.transport.download(request, async (received) =>
    checkUpstream(artifact, received, await digest, context.transport),
  );
  const about = where === undefined ? { name } : { name, where };
  const old = before === undefined ? {} : { before };
  if (outcome.status === "absent") {
    const line = { url: publicUrl(url), absent: true } as const;
    return { line, change: { ...about, ...old, kind: before === undefined ? "unchanged" : "removed" } };
  }
  if (outcome.status === "unchanged" && before !== undefined) {
    const line = artifact.deps === undefined ? before : { ...before, deps: artifact.deps };
    return { line, change: { ...about, before, after: line, kind: "unchanged" } };
  }
  if (outcome.status === "unchanged") throw new Error(`${name}: unchanged since nothing`);
  await context.inspect?.(artifact, target);
  await context.store.adopt(target, outcome.sha256);
  const after = lineFor(artifact, outcome);
  const kindOfChange =
    before === undefined ? "added" : before.sha256 === after.sha256 ? "unchanged" : "changed";
  const isUnchecked = isTrusted(artifact, await digest);
  return { line: after, change: { ...about, ...old, after, kind: kindOfChange, isUnchecked } };
}

/** What the pin's bytes were known by; nothing when they are not in question, as when the index has another md5. */
function validatorsFor(artifact: Artifact, lock: SourceLock) {
  const pin = pinnedEntry(lock, artifact);
  if (pin === undefined || (pin.etag === undefined && pin.lastModified === undefined)) return undefined;
  if (artifact.md5 !== undefined && artifact.md5 !== pin.md5) return undefined;
  if (artifact.sha256 !== undefined && artifact.sha256 !== pin.sha256) return undefined;
  return {
    ...(pin.etag === undefined ? {} : { etag: pin.etag }),
    ...(pin.lastModified === undefined ? {} : { lastModified: pin.lastModified }),
  };
}
