/**
 * Whether unpinned things may be asked for, and the errors when they may not. It does not ask.
 */
import { UserError } from "../../errors/index.ts";
import { isLocal, publicUrl } from "../http/location.ts";
import type { Artefact } from "./artefact.ts";
import { entryOf, type LockEntry, type LockLine, type SourceLock } from "./lock.ts";

/**
 * `pin`: what is not in the lock is resolved and pinned. `frozen`: that is an error. `offline`: no socket may
 * be opened, neither for that nor for what the lock knows and the store lacks.
 */
export type Policy = "pin" | "frozen" | "offline";

/** Offline is no hindrance to a source that is a folder. */
export function policyFor(base: string, policy: Policy): Policy {
  return policy === "offline" && isLocal(base) ? "pin" : policy;
}

export interface Wanted {
  readonly name: string;
  /** Who wants it: `file:line`, or a path of names that begins with one. */
  readonly where?: string | undefined;
}

/** The lock's line for an artefact, unless it was pinned for another place (another release, another URL). */
export function pinOf(
  lock: SourceLock,
  artefact: Pick<Artefact, "name" | "url" | "tail">,
): LockLine | undefined {
  const line = lock.get(artefact.name);
  return line !== undefined && isSamePlace(line.url, artefact) ? line : undefined;
}

/** The pinned bytes of an artefact, under the same condition. */
export function pinnedEntry(
  lock: SourceLock,
  artefact: Pick<Artefact, "name" | "url" | "tail">,
): LockEntry | undefined {
  const entry = entryOf(lock, artefact.name);
  return entry !== undefined && isSamePlace(entry.url, artefact) ? entry : undefined;
}

/** The same path below another mirror is the same artefact; another path is another one. */
function isSamePlace(url: string, artefact: Pick<Artefact, "url" | "tail">): boolean {
  if (artefact.tail === undefined) return url === publicUrl(artefact.url);
  return url.endsWith(`/${artefact.tail}`);
}

/** Whether an artefact that is not in the store may be asked for. */
export function mayFetch(
  artefact: Pick<Artefact, "name" | "url" | "tail">,
  lock: SourceLock,
  policy: Policy,
): boolean {
  switch (policy) {
    case "pin":
      return true;
    case "frozen":
      return pinOf(lock, artefact) !== undefined;
    case "offline":
      return isLocal(artefact.url);
  }
}

/** Throws, when there are any, with all that `frozen` or `offline` stands in the way of. */
export function refuseUnpinned(wanted: readonly Wanted[], policy: Policy): void {
  if (wanted.length === 0 || policy === "pin") return;
  const [first] = wanted;
  const place = first?.where === undefined ? {} : { where: first.where };
  const list = wanted.map((one) => (one.where === undefined ? one.name : `${one.name} (${one.where})`));
  const what =
    wanted.length === 1 ? `${list[0]} is` : `${wanted.length} things are:\n  ${list.join("\n  ")}\n`;
  if (policy === "frozen") {
    throw new UserError(
      wanted.length === 1
        ? `${what} not in the lock`
        : `not in the lock, and it is frozen, ${what}`.trimEnd(),
      {
        code: "frozen",
        ...place,
        hint: "run it once without --frozen (and without CI set) and commit the lock",
        isCollected: true,
      },
    );
  }
  throw new UserError(
    wanted.length === 1
      ? `${what} missing, and --offline forbids to download it`
      : `missing offline, ${what}`.trimEnd(),
    { code: "offline", ...place, hint: "run it once without --offline", isCollected: true },
  );
}
