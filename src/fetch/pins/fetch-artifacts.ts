/**
 * Bringing a plan's artifacts into a store: nothing for what is locked and there, a verified download for what
 * is locked, a pinned one for the rest. What is locked may come from the store's shared cache where the mirror does not have it,
 * or must not be asked. It neither reads nor writes the lock file.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { Received } from "../http/download.ts";
import { publicUrl } from "../http/location.ts";
import type { Transport } from "../http/transport.ts";
import { type Artifact, requestOf } from "./artifact.ts";
import { artifactFault, type LockEntry, type LockLine, type SourceLock } from "./lock.ts";
import { mayFetch, type Policy, pinOf, refuseUnpinned, type Wanted } from "./pinning.ts";
import type { BlobStore } from "./store.ts";
import { checkUpstream, isTrusted, lineFor, lockMismatch, upstreamDigest } from "./verification.ts";

export interface FetchContext {
  readonly lock: SourceLock;
  readonly store: BlobStore;
  /** Absolute path of a directory on the store's file system for downloads in progress; made when missing. */
  readonly staging: string;
  readonly transport: Transport;
  readonly policy: Policy;
  readonly signal?: AbortSignal;
  /** What the plan lacks because the policy forbids to resolve it: named in one error with all that is missing. */
  readonly unresolved?: readonly Wanted[];
  /** Checks the content of a complete file (absolute path) before it is stored or pinned; throws where it is wrong. */
  readonly inspect?: (artifact: Artifact, file: string) => Promise<void>;
  /** Told of every line as soon as its bytes are in the store: what is kept when another download fails. */
  readonly onPin?: (name: string, line: LockLine) => void;
  /** Called for every artifact that is pinned unchecked, because upstream publishes no digest. */
  readonly onTrust?: (name: string, sha256: string) => void;
}

export interface FetchResult {
  /** The lines of the plan's artifacts, in its order: pinned before or now. */
  readonly lines: ReadonlyMap<string, LockLine>;
  /** Those that were not in the lock as they are now. */
  readonly pinned: ReadonlyMap<string, LockLine>;
}

/**
 * After it every artifact of the plan that exists is in the store under the digest in `lines`. Throws the error
 * of the first download that fails; those in flight are given up, those that were complete are kept.
 */
export async function fetchArtifacts(plan: readonly Artifact[], given: FetchContext): Promise<FetchResult> {
  const lines = new Map<string, LockLine>();
  const jobs: (() => Promise<readonly [string, LockLine]>)[] = [];
  const blocked: Artifact[] = [];
  const planned: { readonly name: string; readonly total: number }[] = [];
  const repinned = new Map<string, LockLine>();
  const controller = new AbortController();
  const signals = [controller.signal, ...(given.signal === undefined ? [] : [given.signal])];
  const signal = AbortSignal.any(signals);
  const context = { ...given, mirror: { isDown: false } };
  const { store, lock, policy } = context;
  // What only the shared cache may have is brought at once, not one after the other.
  await blockedArtifacts(plan, { store, lock, policy });
  for (const artifact of largestFirst(plan)) {
    const fault = artifactFault(artifact.name);
    if (fault !== undefined) {
      throw new UserError(`"${artifact.name}" cannot be downloaded: ${fault}`, {
        code: "bad-name",
        hint: "correct the name in the list or on the mirror",
      });
    }
    const pin = pinOf(context.lock, artifact);
    if (pin !== undefined && ("absent" in pin || (await isHere(artifact, pin, context)))) {
      const line = withDependencies(pin, artifact);
      lines.set(artifact.name, line);
      if (line !== pin) repinned.set(artifact.name, line);
      continue;
    }
    if (!mayFetch(artifact, context.lock, context.policy)) blocked.push(artifact);
    else if (pin === undefined) jobs.push(() => pinArtifact(artifact, context, signal));
    else jobs.push(() => restoreArtifact(artifact, withDependencies(pin, artifact), context, signal));
    const total = pin?.size ?? artifact.size ?? 0;
    if (total > 0) planned.push({ name: artifact.name, total });
  }
  refuseUnpinned(
    [...(context.unresolved ?? []), ...blocked],
    context.policy,
    context.transport.limits.settings,
  );
  for (const one of planned) context.transport.onEvent({ type: "download-planned", ...one });
  const pinned = new Map<string, LockLine>(repinned);
  for (const [name, line] of repinned) {
    const message = `${name}: the mirror no longer has the pinned dependencies; pinning the current ones`;
    context.transport.onEvent({ type: "warning", message, where: undefined });
    context.onPin?.(name, line);
  }
  if (jobs.length > 0) await mkdir(context.staging, { recursive: true });
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    jobs.map(async (job) => {
      try {
        const [name, line] = await job();
        if (context.lock.get(name) !== line) {
          pinned.set(name, line);
          context.onPin?.(name, line);
        }
        lines.set(name, line);
      } catch (error) {
        // The others fail because of this one: only the first failure is the cause.
        failure ??= { error };
        controller.abort(error);
      }
    }),
  );
  if (failure !== undefined) throw failure.error;
  return { lines: inOrder(plan, lines), pinned: inOrder(plan, pinned) };
}

/** The artifacts of a plan that are not in the store and may not be downloaded. */
export async function blockedArtifacts(
  plan: readonly Artifact[],
  { lock, store, policy }: Pick<FetchContext, "lock" | "store" | "policy">,
): Promise<readonly Artifact[]> {
  const isBlocked = async (artifact: Artifact): Promise<boolean> => {
    const pin = pinOf(lock, artifact);
    const context = { lock, store, policy };
    if (pin !== undefined && ("absent" in pin || (await isHere(artifact, pin, context)))) return false;
    return !mayFetch(artifact, lock, policy);
  };
  const answers = await Promise.all(plan.map(isBlocked));
  return plan.filter((_, index) => answers[index]);
}

/** Whether the store has what is pinned; where no mirror may be asked for it, the shared cache is asked first. */
async function isHere(
  artifact: Artifact,
  pin: LockEntry,
  { lock, store, policy }: Pick<FetchContext, "lock" | "store" | "policy">,
): Promise<boolean> {
  if (await store.has(pin.sha256)) return true;
  if (mayFetch(artifact, lock, policy)) return false;
  return (await store.retrieve?.(pin.sha256, pin.size)) === true;
}

/** A pin with the plan's dependencies, which may be newer than the pin's. */
function withDependencies<T extends LockLine>(pin: T, { kind, deps = [] }: Artifact): T | LockEntry {
  const isExtension = kind === "squashfs" && !("absent" in pin);
  if (!isExtension || deps.join() === (pin.deps ?? []).join()) return pin;
  return { ...pin, deps };
}

/** What takes longest begins first, and what may be large because its size is not known. */
function largestFirst(plan: readonly Artifact[]): readonly Artifact[] {
  const weight = (artifact: Artifact): number => artifact.size ?? (artifact.kind === "text" ? 0 : Infinity);
  return plan
    .map((artifact, index) => ({ artifact, index, weight: weight(artifact) }))
    .sort((a, b) => (a.weight === b.weight ? a.index - b.index : b.weight - a.weight))
    .map(({ artifact }) => artifact);
}

function inOrder(plan: readonly Artifact[], lines: ReadonlyMap<string, LockLine>): Map<string, LockLine> {
  const ordered = new Map<string, LockLine>();
  for (const { name } of plan) {
    const line = lines.get(name);
    if (line !== undefined) ordered.set(name, line);
  }
  return ordered;
}

/** What the downloads of one plan share. */
interface PlanContext extends FetchContext {
  /** Whether the mirror failed for a file that the shared cache had: that is asked first for the others. */
  readonly mirror: { isDown: boolean };
}

async function download(
  artifact: Artifact,
  context: PlanContext,
  signal: AbortSignal,
  check: (received: Received) => Promise<void> | void,
  isElsewhere?: () => Promise<boolean>,
) {
  const target = path.join(context.staging, artifact.name);
  const elsewhere = isElsewhere === undefined ? {} : { isElsewhere };
  const request = { ...requestOf(artifact), target, signal, ...elsewhere };
  const outcome = await context.transport.download(request, check);
  if (outcome.status === "fetched") {
    await context.inspect?.(artifact, target);
    await context.store.adopt(target, outcome.sha256);
    context.store.offer?.(outcome.sha256, outcome.size);
  }
  return outcome;
}

async function pinArtifact(
  artifact: Artifact,
  context: PlanContext,
  signal: AbortSignal,
): Promise<readonly [string, LockLine]> {
  const digest = upstreamDigest(artifact, context.transport, signal);
  const check = async (received: Received) =>
    checkUpstream(artifact, received, await digest, context.transport);
  const outcome = await download(artifact, context, signal, check);
  if (outcome.status !== "fetched") return [artifact.name, { url: publicUrl(artifact.url), absent: true }];
  if (isTrusted(artifact, await digest)) context.onTrust?.(artifact.name, outcome.sha256);
  return [artifact.name, lineFor(artifact, outcome)];
}

async function restoreArtifact(
  artifact: Artifact,
  pin: LockEntry,
  context: PlanContext,
  signal: AbortSignal,
): Promise<readonly [string, LockLine]> {
  let hasArrived = false;
  const check = async (received: Received): Promise<void> => {
    hasArrived = true;
    if (received.sha256 === pin.sha256 && received.size === pin.size) return;
    throw await lockMismatch(artifact, pin, received, context.transport);
  };
  const { store, mirror } = context;
  let asked: Promise<boolean> | undefined;
  const isElsewhere = (): Promise<boolean> => {
    asked ??= store.retrieve?.(pin.sha256, pin.size) ?? Promise.resolve(false);
    return asked;
  };
  if (mirror.isDown && (await isElsewhere())) return [artifact.name, pin];
  try {
    // An artifact that is pinned exists: 404 is an error now, also for an optional one.
    await download({ ...artifact, optional: false }, context, signal, check, isElsewhere);
  } catch (error) {
    // What arrived and is wrong is for the user to decide about, a mirror that does not deliver is not.
    if (hasArrived || signal.aborted || !(await isElsewhere())) throw error;
    mirror.isDown = true;
  }
  return [artifact.name, pin];
}
