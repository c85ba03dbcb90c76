/**
 * Whether unpinned things may be asked for, and the errors when they may not. It does not ask.
 */
import { UserError } from "../../errors/index.ts";
import { isLocal, publicUrl } from "../http/location.ts";
import { offlineHint, type SettingNames, without } from "../http/setting-names.ts";
import type { Artifact } from "./artifact.ts";
import { entryOf, type LockEntry, type LockLine, type SourceLock } from "./lock.ts";

/**
 * `pin`: what is not in the lock is resolved and pinned. `frozen`: that is an error. `offline`: no socket may
 * be opened, neither for that nor for what the lock knows and the store lacks.
 */
export type Policy = "pin" | "frozen" | "offline";

/** Offline is no hindrance to a source that is a directory. */
export function policyFor(base: string, policy: Policy): Policy {
  return policy === "offline" && isLocal(base) ? "pin" : policy;
}

export interface Wanted {
  readonly name: string;
  /** Who wants it: `file:line`, or a path of names that begins with one. */
  readonly where?: string | undefined;
}

/** The lock's line for an artifact, unless it was pinned for another place (another release, another URL). */
export function pinOf(
  lock: SourceLock,
  artifact: Pick<Artifact, "name" | "url" | "tail">,
): LockLine | undefined {
  const line = lock.get(artifact.name);
  return line !== undefined && isSamePlace(line.url, artifact) ? line : undefined;
}

/** The pinned bytes of an artifact, under the same condition. */
export function pinnedEntry(
  lock: SourceLock,
  artifact: Pick<Artifact, "name" | "url" | "tail">,
): LockEntry | undefined {
  const entry = entryOf(lock, artifact.name);
  return entry !== undefined && isSamePlace(entry.url, artifact) ? entry : undefined;
}

/** The same path below another mirror is the same artifact; another path is another one. */
function isSamePlace(url: string, artifact: Pick<Artifact, "url" | "tail">): boolean {
  if (artifact.tail === undefined) return url === publicUrl(artifact.url);
  return url.endsWith(`/${artifact.tail}`);
}

/** Whether an artifact that is not in the store may be asked for. */
export function mayFetch(
  artifact: Pick<Artifact, "name" | "url" | "tail">,
  lock: SourceLock,
  policy: Policy,
): boolean {
  switch (policy) {
    case "pin":
      return true;
    case "frozen":
      return pinOf(lock, artifact) !== undefined;
    case "offline":
      return isLocal(artifact.url);
  }
}

/** Throws a UserError that names all of `wanted`, if the policy forbids to download them and there are any. */
export function refuseUnpinned(wanted: readonly Wanted[], policy: Policy, settings: SettingNames = {}): void {
  if (wanted.length === 0 || policy === "pin") return;
  const [first] = wanted;
  const place = first?.where === undefined ? {} : { where: first.where };
  const list = wanted.map((one) => (one.where === undefined ? one.name : `${one.name} (${one.where})`));
  const what = wanted.length === 1 ? `${list[0]}` : `${wanted.length} artifacts`;
  const names = wanted.length === 1 ? "" : `:\n  ${list.join("\n  ")}`;
  const verb = wanted.length === 1 ? "is" : "are";
  if (policy === "frozen") {
    throw new UserError(`${what} ${verb} not in the lock, which is frozen${names}`, {
      code: "frozen",
      ...place,
      hint: `run the build once with a lock that is not frozen${without(settings.frozen)}, and commit the lock`,
      isCollected: true,
    });
  }
  throw new UserError(`${what} ${verb} missing, and offline mode forbids the download${names}`, {
    code: "offline",
    ...place,
    hint: offlineHint(settings),
    isCollected: true,
  });
}
