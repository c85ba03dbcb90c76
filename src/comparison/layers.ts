/**
 * Two layered initrds, archive by archive: how many there are, which have other bytes, and what of them a later one
 * hides.
 */
import type { FileContent, InitrdMember } from "../formats/index.ts";
import { type Container, describeContent } from "../inspection/index.ts";
import type { ContentDigests } from "./content.ts";
import type { Difference } from "./difference.ts";
import { pairsOf } from "./trees.ts";

/** How many archives there are, and which of them have other bytes. */
export async function compareLayers(
  within: readonly string[],
  a: Container,
  b: Container,
  digests: ContentDigests,
): Promise<readonly Difference[]> {
  const [one, other] = [a.members.length, b.members.length];
  if (one !== other) return [{ kind: "layers", within, a: `${one}`, b: `${other}` }];
  const differences: Difference[] = [];
  for (const [index, [inA, inB]] of membersOf(a, b).entries()) {
    const [bytesA, bytesB] = [stretch(a.file, inA), stretch(b.file, inB)];
    if (await digests.isSame(bytesA, bytesB)) continue;
    const say = (content: FileContent, { compression }: InitrdMember) =>
      `${describeContent(content)}, ${compression === "none" ? "not compressed" : compression}`;
    differences.push({
      ...{ kind: "layer", within, name: `layer ${index + 1} of ${one}` },
      ...{ a: say(bytesA, inA), b: say(bytesB, inB) },
    });
  }
  return differences;
}

/**
 * What differs between archives of the same number. Contents are compared by their digests only: what a later layer hides is not
 * shown in full.
 */
export async function compareMembers(
  within: readonly string[],
  a: Container,
  b: Container,
  digests: ContentDigests,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  for (const [index, [inA, inB]] of membersOf(a, b).entries()) {
    const layers = { a: index + 1, b: index + 1 };
    for (const pair of pairsOf(within, inA.tree, inB.tree, () => layers)) {
      differences.push(...pair.differences);
      if (pair.contents === undefined || (await digests.isSame(...pair.contents))) continue;
      const [one, other] = pair.contents.map(describeContent);
      differences.push({ kind: "content", within, name: pair.name, a: one ?? "", b: other ?? "", layers });
    }
  }
  return differences;
}

/** The archives of the same number, where there are as many in both. */
function membersOf(a: Container, b: Container): readonly (readonly [InitrdMember, InitrdMember])[] {
  if (a.members.length !== b.members.length) return [];
  return a.members.flatMap((member, index) => {
    const other = b.members[index];
    return other === undefined ? [] : [[member, other] as const];
  });
}

function stretch(file: string, { offset, size }: InitrdMember): FileContent {
  return { kind: "file", path: file, offset, size };
}

/** The number of the last layer with an entry of each path, from 1. */
export function lastLayers(members: readonly InitrdMember[]): ReadonlyMap<string, number> {
  return new Map(
    members.flatMap(({ tree }, index) => tree.paths().map((path) => [path, index + 1] as const)),
  );
}
