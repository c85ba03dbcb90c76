/**
 * Asking upstream again for what is pinned, and saying what became of it. It neither reads nor writes the lock
 * file, and does not resolve: it is given a plan that was resolved afresh.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Artefact } from "./artefact.ts";
import { checkUpstream, type FetchContext, lineFor } from "./fetch-artefacts.ts";
import { gemNameOf } from "./gems.ts";
import { publicUrl } from "./location.ts";
import { artefactFault, entryOf, type LockEntry, type LockLine, type SourceLock } from "./lock.ts";
import { pinnedEntry } from "./pinning.ts";
import { didYouMean } from "./suggest.ts";

export interface Change {
  readonly name: string;
  readonly kind: "changed" | "added" | "removed" | "unchanged";
  readonly before?: LockEntry;
  readonly after?: LockEntry;
  /** Who wants it now. */
  readonly where?: string;
}

export interface Update {
  /** Lines to pin, and undefined for lines to drop. */
  readonly lines: ReadonlyMap<string, LockLine | undefined>;
  /** One for each artefact that was looked at, in the order of the plan, then what was removed. */
  readonly changes: readonly Change[];
}

/** Whether a user who writes `wanted` means this artefact: `bash`, `bash.tcz`, `facter`, `facter-1.6.10.gem`. */
export function isNamed(artefact: string, version: string | undefined, wanted: string): boolean {
  const gem = version === undefined ? undefined : gemNameOf(artefact, version);
  const tcz = /^(.+)\.tcz(\.info|\.list)?$/.exec(artefact)?.[1];
  return artefact === wanted || gem === wanted || tcz === wanted || `${tcz}.tcz` === wanted;
}

/** The lock without the lines of these names (all, when none is given): what to resolve an update with. */
export function unpin(lock: SourceLock, names: readonly string[]): SourceLock {
  if (names.length === 0) return new Map();
  return new Map(
    [...lock].filter(([file]) => !names.some((name) => isNamed(file, entryOf(lock, file)?.version, name))),
  );
}

/**
 * Asks for every artefact of the plan that `names` mean (all, when there are none), with the validators of its
 * pin. With `complete` the plan is all that the source's lock should hold, and other lines are dropped. Throws a
 * UserError for a name that means nothing, and the error of the first download that fails.
 */
export async function updateArtefacts(
  plan: readonly Artefact[],
  names: readonly string[],
  context: Omit<FetchContext, "policy">,
  options: { readonly complete?: boolean } = {},
): Promise<Update> {
  refuseUnknown(plan, names, context.lock);
  await mkdir(context.staging, { recursive: true });
  const meant = (artefact: Artefact): boolean =>
    names.length === 0 || names.some((name) => isNamed(artefact.name, artefact.version, name));
  // Dependencies that are new come along even when they were not named.
  const affected = plan.filter((artefact) => meant(artefact) || !context.lock.has(artefact.name));
  const controller = new AbortController();
  const signals = [controller.signal, ...(context.signal === undefined ? [] : [context.signal])];
  const signal = AbortSignal.any(signals);
  let failure: { readonly error: unknown } | undefined;
  const results = await Promise.all(
    affected.map(async (artefact) => {
      try {
        return await updateOne(artefact, context, signal);
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
  const planned = new Set(plan.map((artefact) => artefact.name));
  const gems = new Set(plan.flatMap((artefact) => gemNameOf(artefact.name, artefact.version ?? "") ?? []));
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

function refuseUnknown(plan: readonly Artefact[], names: readonly string[], lock: SourceLock): void {
  for (const name of names) {
    const inLock = [...lock.keys()].some((file) => isNamed(file, entryOf(lock, file)?.version, name));
    if (inLock || plan.some((artefact) => isNamed(artefact.name, artefact.version, name))) continue;
    const meant = didYouMean(name, new Set([...plan.map((artefact) => artefact.name), ...lock.keys()]));
    throw new UserError(`nothing is called '${name}', neither in the lists nor in the lock`, {
      code: "unknown-artefact",
      ...(meant === undefined ? {} : { hint: meant }),
    });
  }
}

async function updateOne(
  artefact: Artefact,
  context: Omit<FetchContext, "policy">,
  signal: AbortSignal,
): Promise<{ readonly change: Change; readonly line: LockLine }> {
  const { name, url, kind, optional, where } = artefact;
  const fault = artefactFault(name);
  if (fault !== undefined) throw new UserError(`'${name}' cannot be fetched: ${fault}`, { code: "bad-name" });
  const before = entryOf(context.lock, name);
  const target = path.join(context.staging, name);
  const validators = validatorsFor(artefact, context.lock);
  const request = {
    name,
    url,
    kind,
    target,
    signal,
    ...(optional === undefined ? {} : { optional }),
    ...(where === undefined ? {} : { where }),
    ...(validators === undefined ? {} : { validators }),
  };
  const outcome = await context.transport.download(request, (received) =>
    checkUpstream(artefact, received, context.transport),
  );
  const about = where === undefined ? { name } : { name, where };
  const old = before === undefined ? {} : { before };
  if (outcome.status === "absent") {
    const line = { url: publicUrl(url), absent: true } as const;
    return { line, change: { ...about, ...old, kind: before === undefined ? "unchanged" : "removed" } };
  }
  if (outcome.status === "unchanged" && before !== undefined) {
    const line = artefact.deps === undefined ? before : { ...before, deps: artefact.deps };
    return { line, change: { ...about, before, after: line, kind: "unchanged" } };
  }
  if (outcome.status === "unchanged") throw new Error(`${name}: unchanged since nothing`);
  await context.store.adopt(target, outcome.sha256);
  const after = lineFor(artefact, outcome);
  const kindOfChange =
    before === undefined ? "added" : before.sha256 === after.sha256 ? "unchanged" : "changed";
  return { line: after, change: { ...about, ...old, after, kind: kindOfChange } };
}

/** What the pin's bytes were known by; nothing when they are not in question, as when the index has another md5. */
function validatorsFor(artefact: Artefact, lock: SourceLock) {
  const pin = pinnedEntry(lock, artefact);
  if (pin === undefined || (pin.etag === undefined && pin.lastModified === undefined)) return undefined;
  if (artefact.md5 !== undefined && artefact.md5 !== pin.md5) return undefined;
  if (artefact.sha256 !== undefined && artefact.sha256 !== pin.sha256) return undefined;
  return {
    ...(pin.etag === undefined ? {} : { etag: pin.etag }),
    ...(pin.lastModified === undefined ? {} : { lastModified: pin.lastModified }),
  };
}

/** One line for each artefact that changed, gems by name with both versions, and one for all that did not. */
export function describeChanges(changes: readonly Change[]): readonly string[] {
  const removedGems = new Map<string, Change>();
  for (const change of changes) {
    const gem = change.kind === "removed" ? gemOf(change) : undefined;
    if (gem !== undefined) removedGems.set(gem, change);
  }
  const paired = new Set<Change>();
  const said: string[] = [];
  for (const change of changes) {
    const gem = change.kind === "added" ? gemOf(change) : undefined;
    const old = gem === undefined ? undefined : removedGems.get(gem);
    if (gem !== undefined && old?.before !== undefined && change.after !== undefined) {
      paired.add(old);
      const versions = `${old.before.version} → ${change.after.version}`;
      said.push(`${gem}: ${versions}, ${sizes(old.before, change.after)}${wantedBy(change)}`);
    } else if (change.kind === "added" && change.after !== undefined) {
      said.push(`${change.name}: new, ${bytes(change.after.size)}${wantedBy(change)}`);
    } else if (change.kind === "changed" && change.before !== undefined && change.after !== undefined) {
      const digests = `sha256 ${short(change.before)} → ${short(change.after)}`;
      said.push(`${change.name}: ${digests}, ${sizes(change.before, change.after)}${wantedBy(change)}`);
    }
  }
  for (const change of changes) {
    if (change.kind === "removed" && !paired.has(change)) said.push(`${change.name}: no longer used`);
  }
  const same = changes.filter((change) => change.kind === "unchanged").length;
  if (same > 0) said.push(`${same} unchanged`);
  return said;
}

function gemOf(change: Change): string | undefined {
  const version = (change.after ?? change.before)?.version;
  return version === undefined ? undefined : gemNameOf(change.name, version);
}

function wantedBy(change: Change): string {
  return change.where === undefined ? "" : ` (${change.where})`;
}

function short(entry: LockEntry): string {
  return `${entry.sha256.slice(0, 12)}…`;
}

function sizes(before: LockEntry, after: LockEntry): string {
  return before.size === after.size ? bytes(after.size) : `${bytes(before.size)} → ${bytes(after.size)}`;
}

/** Thousands are marked by thin groups of three, whatever the locale. */
function bytes(size: number): string {
  return `${String(size).replace(/\B(?=(\d{3})+$)/g, ",")} bytes`;
}
