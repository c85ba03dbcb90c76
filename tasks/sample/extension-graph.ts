/** Which extensions the planned packages become and which extension needs which. */

import { alternativesOf } from "../debian/package-closure.ts";
import type { PackagePlan, PlannedPackage } from "../debian/packages.ts";
import type { ExtensionEntry } from "./extension-catalogue.ts";

export interface PlannedExtension {
  /** Without `.tcz`. */
  readonly name: string;
  /** The first one gives the version and the description. */
  readonly packages: readonly PlannedPackage[];
  /** Names of the extensions that this one needs directly. */
  readonly depends: readonly string[];
  readonly entry?: ExtensionEntry;
}

/**
 * One extension for each entry of the catalogue, and one for each other package that those need.
 * Packages of the plan that no entry leads to are left out. In byte order of the names.
 */
export function arrangeExtensions(
  plan: PackagePlan,
  catalogue: readonly ExtensionEntry[],
): readonly PlannedExtension[] {
  const planned = new Map(plan.packages.map((member) => [member.name, member]));
  const base = new Set(plan.base);
  const extensionOf = new Map<string, string>();
  const groups: { name: string; packages: PlannedPackage[]; entry?: ExtensionEntry }[] = [];

  for (const entry of catalogue) {
    const packages: PlannedPackage[] = [];
    for (const wish of entry.packages) {
      const name = alternativesOf(wish).find((alternative) => planned.has(alternative));
      const member = name === undefined ? undefined : planned.get(name);
      // A library that the base already holds needs no extension.
      if (member === undefined || base.has(member.name) || extensionOf.has(member.name)) continue;
      packages.push(member);
      extensionOf.set(member.name, entry.name);
    }
    if (packages.length > 0) groups.push({ name: entry.name, packages, entry });
  }
  // The groups grow while they are walked: each new package may need others.
  for (const group of groups) {
    for (const name of group.packages.flatMap((member) => member.depends)) {
      const member = planned.get(name);
      if (member === undefined || extensionOf.has(name)) continue;
      extensionOf.set(name, name);
      groups.push({ name, packages: [member] });
    }
  }
  return groups
    .map(({ name, packages, entry }) => ({
      name,
      packages,
      depends: unique(
        packages
          .flatMap((member) => member.depends)
          .map((depended) => extensionOf.get(depended))
          .filter((depended) => depended !== undefined && depended !== name),
      ),
      ...(entry === undefined ? {} : { entry }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The dependencies that are written down: an extension without files is replaced by what it needs, and the edge
 * that closes a circle is left out (Debian's packages have such circles; a loader would have to).
 */
export function settleDependencies(
  extensions: readonly PlannedExtension[],
  empty: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const direct = new Map(extensions.map((extension) => [extension.name, extension.depends]));
  function expand(name: string, seen: ReadonlySet<string>): readonly string[] {
    if (!empty.has(name)) return [name];
    if (seen.has(name)) return [];
    return (direct.get(name) ?? []).flatMap((next) => expand(next, new Set([...seen, name])));
  }
  const settled = new Map<string, readonly string[]>();
  function settle(name: string, path: ReadonlySet<string>): void {
    if (settled.has(name)) return;
    const below = new Set([...path, name]);
    const wanted = unique((direct.get(name) ?? []).flatMap((next) => expand(next, new Set())));
    const kept = wanted.filter((next) => !below.has(next));
    settled.set(name, kept);
    for (const next of kept) settle(next, below);
  }
  // What the catalogue names is what people load: circles are broken as seen from there.
  for (const { name, entry } of extensions)
    if (entry !== undefined && !empty.has(name)) settle(name, new Set());
  for (const { name } of extensions) if (!empty.has(name)) settle(name, new Set());
  return settled;
}

function unique(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== undefined))];
}
