/**
 * Bringing a plan's artefacts into a store: nothing for what is locked and there, a verified download for what
 * is locked, a pinned one for the rest. It neither reads nor writes the lock file.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Artefact } from "./artefact.ts";
import { readMd5At } from "./catalogue.ts";
import type { Received } from "./download.ts";
import { isLocal, publicUrl } from "./location.ts";
import { artefactFault, type LockEntry, type LockLine, type SourceLock } from "./lock.ts";
import { type Policy, pinOf, refuseUnpinned } from "./pinning.ts";
import type { BlobStore } from "./store.ts";
import type { Transport } from "./transport.ts";

export interface FetchContext {
  readonly lock: SourceLock;
  readonly store: BlobStore;
  /** Absolute path of a folder on the store's file system for downloads in progress; made when missing. */
  readonly staging: string;
  readonly transport: Transport;
  readonly policy: Policy;
  readonly signal?: AbortSignal;
  /** Told of every line as soon as its bytes are in the store: what is kept when another download fails. */
  readonly onPin?: (name: string, line: LockLine) => void;
}

export interface FetchResult {
  /** The lines of the plan's artefacts, in its order: pinned before or now. */
  readonly lines: ReadonlyMap<string, LockLine>;
  /** Those that were not in the lock as they are now. */
  readonly pinned: ReadonlyMap<string, LockLine>;
}

/**
 * After it every artefact of the plan that exists is in the store under the digest in `lines`. Throws the error
 * of the first download that fails; those in flight are given up, those that were complete are kept.
 */
export async function fetchArtefacts(plan: readonly Artefact[], context: FetchContext): Promise<FetchResult> {
  const lines = new Map<string, LockLine>();
  const jobs: (() => Promise<readonly [string, LockLine]>)[] = [];
  const blocked: Artefact[] = [];
  const controller = new AbortController();
  const signals = [controller.signal, ...(context.signal === undefined ? [] : [context.signal])];
  const signal = AbortSignal.any(signals);
  for (const artefact of largestFirst(plan)) {
    const fault = artefactFault(artefact.name);
    if (fault !== undefined) {
      throw new UserError(`'${artefact.name}' cannot be fetched: ${fault}`, { code: "bad-name" });
    }
    const pin = pinOf(context.lock, artefact);
    if (pin !== undefined && ("absent" in pin || (await context.store.has(pin.sha256)))) {
      lines.set(artefact.name, pin);
      continue;
    }
    const allowed =
      context.policy === "pin" ||
      (context.policy === "frozen" && pin !== undefined) ||
      (context.policy === "offline" && isLocal(artefact.url));
    if (!allowed) blocked.push(artefact);
    else if (pin === undefined) jobs.push(() => pinArtefact(artefact, context, signal));
    else jobs.push(() => restoreArtefact(artefact, pin, context, signal));
  }
  refuseUnpinned(blocked, context.policy);
  const pinned = new Map<string, LockLine>();
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

/** What takes longest begins first, and what may be large because its size is not known. */
function largestFirst(plan: readonly Artefact[]): readonly Artefact[] {
  const weight = (artefact: Artefact): number => artefact.size ?? (artefact.kind === "text" ? 0 : Infinity);
  return plan
    .map((artefact, index) => ({ artefact, index, weight: weight(artefact) }))
    .sort((a, b) => (a.weight === b.weight ? a.index - b.index : b.weight - a.weight))
    .map(({ artefact }) => artefact);
}

function inOrder(plan: readonly Artefact[], lines: ReadonlyMap<string, LockLine>): Map<string, LockLine> {
  const ordered = new Map<string, LockLine>();
  for (const { name } of plan) {
    const line = lines.get(name);
    if (line !== undefined) ordered.set(name, line);
  }
  return ordered;
}

async function download(
  artefact: Artefact,
  context: FetchContext,
  signal: AbortSignal,
  check: (received: Received) => Promise<void> | void,
) {
  const target = path.join(context.staging, artefact.name);
  const { name, url, kind, optional, where } = artefact;
  const request = {
    name,
    url,
    kind,
    target,
    signal,
    ...(optional === undefined ? {} : { optional }),
    ...(where === undefined ? {} : { where }),
  };
  const outcome = await context.transport.download(request, check);
  if (outcome.status === "fetched") await context.store.adopt(target, outcome.sha256);
  return outcome;
}

async function pinArtefact(
  artefact: Artefact,
  context: FetchContext,
  signal: AbortSignal,
): Promise<readonly [string, LockLine]> {
  const check = (received: Received) => checkUpstream(artefact, received, context.transport);
  const outcome = await download(artefact, context, signal, check);
  if (outcome.status !== "fetched") return [artefact.name, { url: publicUrl(artefact.url), absent: true }];
  return [artefact.name, lineFor(artefact, outcome)];
}

/** The lock's line for bytes that have arrived. */
export function lineFor(artefact: Artefact, received: Received): LockEntry {
  const { size, sha256, md5, etag, lastModified } = received;
  const { version, deps } = artefact;
  return {
    ...(version === undefined ? {} : { version }),
    url: publicUrl(artefact.url),
    size,
    sha256,
    md5,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(deps === undefined ? {} : { deps }),
  };
}

/** Throws when the bytes are not what upstream itself says they are. */
export async function checkUpstream(
  artefact: Artefact,
  received: Received,
  transport: Transport,
): Promise<void> {
  const where = publicUrl(artefact.url);
  const mismatch = (kind: string, expected: string | number, got: string | number): UserError =>
    new UserError(`${artefact.name}: upstream's ${kind} is ${expected}, but what came has ${got}`, {
      code: `${kind}-mismatch`,
      where,
      hint: "the file is damaged, or the mirror is being changed just now: try again later, or use another mirror",
    });
  if (artefact.sha256 !== undefined && artefact.sha256 !== received.sha256) {
    throw mismatch("sha256", artefact.sha256, received.sha256);
  }
  const md5 =
    artefact.md5 ??
    (artefact.sha256 === undefined && artefact.md5Url !== undefined
      ? await readMd5At(transport, artefact.md5Url, `${artefact.name}.md5.txt`, artefact.where)
      : undefined);
  if (md5 !== undefined && md5 !== received.md5) throw mismatch("md5", md5, received.md5);
  if (md5 === undefined && artefact.size !== undefined && artefact.size !== received.size) {
    throw mismatch("size", artefact.size, received.size);
  }
}

async function restoreArtefact(
  artefact: Artefact,
  pin: LockEntry,
  context: FetchContext,
  signal: AbortSignal,
): Promise<readonly [string, LockLine]> {
  const check = async (received: Received): Promise<void> => {
    if (received.sha256 === pin.sha256 && received.size === pin.size) return;
    throw await lockMismatch(artefact, pin, received, context.transport);
  };
  // An artefact that is pinned exists: 404 is an error now, also for an optional one.
  await download({ ...artefact, optional: false }, context, signal, check);
  return [artefact.name, pin];
}

async function lockMismatch(
  artefact: Artefact,
  pin: LockEntry,
  received: Received,
  transport: Transport,
): Promise<UserError> {
  const upstream = await upstreamMd5(artefact, transport);
  const agrees = upstream === undefined ? undefined : upstream === received.md5;
  const verdict =
    agrees === undefined
      ? "upstream has no md5 to compare with"
      : agrees
        ? "upstream's own md5 agrees with the new bytes: the release has moved"
        : "upstream's own md5 does not agree with the new bytes either: they are damaged or were tampered with";
  return new UserError(
    `${artefact.name} is not what the lock says: locked sha256 ${pin.sha256} (${pin.size} bytes), ` +
      `received sha256 ${received.sha256} (${received.size} bytes); ${verdict}`,
    {
      code: "lock-mismatch",
      where: publicUrl(artefact.url),
      hint:
        agrees === false
          ? "use another mirror"
          : `if the change is expected: npx task update ${artefact.name}`,
    },
  );
}

/** What upstream says now: the lock's md5, and what was planned from it, are of the old bytes. */
async function upstreamMd5(artefact: Artefact, transport: Transport): Promise<string | undefined> {
  if (artefact.md5Url === undefined) return undefined;
  try {
    return await readMd5At(transport, artefact.md5Url, `${artefact.name}.md5.txt`);
  } catch {
    return undefined;
  }
}
