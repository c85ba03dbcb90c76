/**
 * What an update changed, and how that is worded.
 */

import type { LockEntry } from "../pins/lock.ts";
import { gemNameOf } from "../rubygems/gems.ts";

export interface Change {
  readonly name: string;
  readonly kind: "changed" | "added" | "removed" | "unchanged";
  readonly before?: LockEntry;
  readonly after?: LockEntry;
  /** Upstream publishes no digest, so it was not checked. */
  readonly isUnchecked?: boolean;
  /** Who wants it now. */
  readonly where?: string;
}

/** One line for each artifact that changed, gems by name with both versions, and one for all that did not. */
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
      const digest = change.isUnchecked === true ? `, sha256 ${change.after.sha256}` : "";
      said.push(
        `${change.name}: new, ${bytes(change.after.size)}${digest}${wantedBy(change)}${doubt(change)}`,
      );
    } else if (change.kind === "changed" && change.before !== undefined && change.after !== undefined) {
      said.push(
        `${change.name}: ${difference(change.before, change.after, change.isUnchecked === true)}, ` +
          `${sizes(change.before, change.after)}${wantedBy(change)}${doubt(change)}`,
      );
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

/** Says that the digest was not checked, so that the user can compare it. */
function doubt(change: Change): string {
  return change.isUnchecked === true ? "; upstream publishes no digest" : "";
}

function difference(before: LockEntry, after: LockEntry, isUnchecked: boolean): string {
  if (isUnchecked) return `sha256 ${before.sha256} → ${after.sha256}`;
  const hasMoved =
    before.version !== undefined && after.version !== undefined && before.version !== after.version;
  return hasMoved ? `${before.version} → ${after.version}` : `sha256 ${short(before)} → ${short(after)}`;
}

function short(entry: LockEntry): string {
  return `${entry.sha256.slice(0, 12)}…`;
}

function sizes(before: LockEntry, after: LockEntry): string {
  return before.size === after.size ? bytes(after.size) : `${bytes(before.size)} → ${bytes(after.size)}`;
}

/** Thousands are set apart by commas, whatever the locale. */
function bytes(size: number): string {
  return `${String(size).replace(/\B(?=(\d{3})+$)/g, ",")} bytes`;
}
