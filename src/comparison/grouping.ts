/** Differences that all have one reason, told in one line; and those that a user does not want to see. */
import type { Difference } from "./difference.ts";

/** From this many entries with the same reason on, they are shown as one. */
const leastGroup = 4;

/** Differences of one archive, or a line that stands for many of them. */
type Row = Difference | { readonly within: readonly string[]; readonly summary: string };

/**
 * The differences, in their order, with paths that differ in their time only, in the same change of mode or owner only, and
 * layers, each told as one where they are many.
 */
export function grouped(differences: readonly Difference[]): readonly Row[] {
  const all = new Map<string, Difference[]>();
  for (const difference of differences) {
    const entry = entryOf(difference);
    all.set(entry, [...(all.get(entry) ?? []), difference]);
  }
  const groups = new Map<string, Difference[]>();
  for (const ofEntry of all.values()) {
    const [only] = ofEntry;
    const reason = only === undefined || ofEntry.length > 1 ? undefined : reasonOf(only);
    if (only !== undefined && reason !== undefined) groups.set(reason, [...(groups.get(reason) ?? []), only]);
  }
  const placed = new Set<string>();
  return differences.flatMap((difference): readonly Row[] => {
    const reason = all.get(entryOf(difference))?.length === 1 ? reasonOf(difference) : undefined;
    const group = reason === undefined ? [] : (groups.get(reason) ?? []);
    if (reason === undefined || group.length < leastGroup) return [difference];
    if (placed.has(reason)) return [];
    placed.add(reason);
    return [{ within: difference.within, summary: summaryOf(group) }];
  });
}

/** What a difference is of: a path, of one layer or of the merged tree, in an archive. */
function entryOf({ within, name, layers, kind }: Difference): string {
  return JSON.stringify([within, name, layers ?? 0, name === undefined ? kind : ""]);
}

/** The reason that groups an entry; undefined for an entry that is shown alone. */
function reasonOf({ within, kind, a, b }: Difference): string | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (kind === "time" || kind === "layer") return JSON.stringify([within, kind]);
  return kind === "mode" || kind === "owner" ? JSON.stringify([within, kind, a, b]) : undefined;
}

/** `403 entries: time only`, with the change where it is the same for all. */
function summaryOf(group: readonly Difference[]): string {
  const [first] = group;
  const kind = first?.kind ?? "time";
  if (kind === "layer") return `${group.length} layers: other bytes`;
  const isOne = group.every(({ a, b }) => a === first?.a && b === first?.b);
  return `${group.length} entries: ${kind} only${isOne ? `, ${first?.a} → ${first?.b}` : ""}`;
}

/**
 * Without times of entries, those of an ISO's structure, and other bytes of layers that are packed in the same way: what is left
 * differs for another reason than when it was made.
 */
export function withoutTimes(differences: readonly Difference[]): readonly Difference[] {
  return differences.filter(
    ({ kind, name = "", a = "", b = "" }) =>
      kind !== "time" &&
      !(kind === "layer" && packingOf(a) === packingOf(b)) &&
      !(kind === "field" && name.endsWith(" time")),
  );
}

/** `gzip` of `812 bytes, gzip`. */
function packingOf(layer: string): string {
  return layer.slice(layer.lastIndexOf(", "));
}
