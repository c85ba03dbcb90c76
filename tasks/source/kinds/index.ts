/** The kinds of source. A new one is a file in this directory and a line in this list. */

import { location } from "./location.ts";
import { named } from "./named.ts";
import { sample } from "./sample.ts";
import { sampleRpm } from "./sample-rpm.ts";
import type { SourceKind } from "./source-kind.ts";
import { tinycore } from "./tinycore.ts";

/** In the order in which they are tried and described. */
export const sourceKinds: readonly SourceKind[] = [tinycore, sample, sampleRpm, named, location];

/** Values of `--source` that are offered. */
export const sourceChoices: readonly string[] = sourceKinds.flatMap(({ name }) => name ?? []);

/** Kinds whose mirror is made on this machine, with the value of `--source` that means them. */
export const madeKinds = sourceKinds.flatMap(({ name, needs }) =>
  name === undefined || needs === undefined ? [] : [{ name, needs }],
);

/** What to do without a mirror: the options that need none. */
export const withoutMirror: string = madeKinds.map(({ name }) => `--source ${name}`).join(" or ");

/** The kind that a value of `--source` means. */
export function kindOf(source: string): SourceKind {
  const kind = sourceKinds.find(({ matches }) => matches(source));
  if (kind === undefined) throw new Error(`no kind of source matches ${source}`);
  return kind;
}
