/** Which extensions go where in a remastered image: each with its dependencies, and none in two places. It reads no file. */

import { UserError } from "../../src/errors/index.ts";
import {
  type ClosureItem,
  type ExtensionGraph,
  type ListEntry,
  orderExtensions,
} from "../../src/fetch/index.ts";
import type { ExtensionPlace } from "../settings/ezremaster-file.ts";

/** What was asked for, by place; each entry's `where` names it. */
export type Wishes = Readonly<Record<ExtensionPlace, readonly ListEntry[]>>;

interface PlacedExtensions extends Readonly<Record<ExtensionPlace, readonly ClosureItem[]>> {
  /** Sentences about dependency cycles, and extensions that are not where they were asked for. */
  readonly notes: readonly string[];
}

const descriptions: Readonly<Record<ExtensionPlace, string>> = {
  cdeOnboot: "cde/ of the ISO",
  cdeOndemand: "cde/ of the ISO",
  builtinOnboot: "/tmp/builtin of the initrd",
  builtinOndemand: "/tmp/builtin of the initrd",
  extracted: "the initrd's tree",
};

/**
 * What a place finds loaded: the extracted extensions are there from the start, and Tiny Core loads /tmp/builtin before cde/. What is
 * only on demand may never be loaded, so an extension that needs it brings its own.
 */
const loadedBefore: Readonly<Record<ExtensionPlace, readonly ExtensionPlace[]>> = {
  extracted: [],
  builtinOnboot: ["extracted"],
  builtinOndemand: ["extracted", "builtinOnboot"],
  cdeOnboot: ["extracted", "builtinOnboot"],
  cdeOndemand: ["extracted", "builtinOnboot", "cdeOnboot"],
};

/**
 * Throws for an extension that is asked for in two of the three places.
 * @throws UserError `extension-places`
 */
export function refuseTwoPlaces(wishes: Wishes): void {
  const seen = new Map<string, { readonly place: ExtensionPlace; readonly where: string }>();
  for (const place of Object.keys(loadedBefore) as ExtensionPlace[]) {
    for (const { name, where } of wishes[place]) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, { place, where });
      if (first === undefined || descriptions[first.place] === descriptions[place]) continue;
      throw new UserError(
        `${name} is requested for ${descriptions[place]} and, at ${first.where}, for ${descriptions[first.place]}`,
        { code: "extension-places", where, hint: "remove one of the two lines" },
      );
    }
  }
}

/** Orders the graph of all wishes, whose roots are the wishes; an extension goes to the first place that has it loaded. */
export function placeExtensions(graph: ExtensionGraph, wishes: Wishes): PlacedExtensions {
  const notes = new Set<string>();
  const placed: Partial<Record<ExtensionPlace, readonly ClosureItem[]>> = {};
  for (const place of Object.keys(loadedBefore) as ExtensionPlace[]) {
    const lines = new Set(wishes[place].map(({ where }) => where));
    const roots = graph.roots.filter(({ where }) => lines.has(where));
    const { builtin, warnings } = orderExtensions({ ...graph, roots });
    for (const { where, message } of warnings) notes.add(`${where}: ${message}`);
    const loaded = new Map(
      loadedBefore[place].flatMap((before) =>
        (placed[before] ?? []).map(({ name }) => [name, before] as const),
      ),
    );
    for (const { name, where } of roots) {
      const before = loaded.get(name);
      if (before !== undefined && descriptions[before] !== descriptions[place])
        notes.add(
          `${where}: ${name} is in ${descriptions[before]} already, which needs it; ${descriptions[place]} does not get it`,
        );
    }
    placed[place] = builtin.filter(({ name }) => !loaded.has(name));
  }
  const {
    extracted = [],
    builtinOnboot = [],
    builtinOndemand = [],
    cdeOnboot = [],
    cdeOndemand = [],
  } = placed;
  return { extracted, builtinOnboot, builtinOndemand, cdeOnboot, cdeOndemand, notes: [...notes] };
}
