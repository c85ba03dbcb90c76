/** What grew from one image to another. */
import type { SizeNode } from "./data.ts";

interface Growth {
  /** Names from the top, joined by slashes. */
  readonly path: string;
  /** Bytes after compression, and the difference. */
  readonly after: number;
  readonly change: number;
}

/** Parts that differ in size, the largest difference first; of a part whose one child explains it, only the child. */
export function growthOf(now: SizeNode, before: SizeNode): readonly Growth[] {
  const all: Growth[] = [];
  compare(now, before, [], all);
  return all.sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || (a.path < b.path ? -1 : 1));
}

function compare(
  now: SizeNode | undefined,
  before: SizeNode | undefined,
  above: readonly string[],
  found: Growth[],
): void {
  const change = (now?.after ?? 0) - (before?.after ?? 0);
  const children = new Map<string, [SizeNode | undefined, SizeNode | undefined]>();
  for (const child of now?.children ?? []) children.set(child.name, [child, undefined]);
  for (const child of before?.children ?? [])
    children.set(child.name, [children.get(child.name)?.[0], child]);
  const differing = [...children].filter(([, [one, other]]) => (one?.after ?? 0) !== (other?.after ?? 0));
  const isOneSided = now === undefined || before === undefined;
  if (change !== 0 && above.length > 0 && (isOneSided || differing.length !== 1))
    found.push({ path: above.join("/"), after: now?.after ?? 0, change });
  if (isOneSided) return;
  for (const [name, [one, other]] of differing) compare(one, other, [...above, name], found);
}
