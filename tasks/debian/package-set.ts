/**
 * The packages that lists name and what these depend on, as far as the image has it not. Where records and packages come
 * from is not known here.
 */
import type { Alternatives } from "./apt-records.ts";
import type { WantedPackage } from "./distribution-packages.ts";

/** A package of the set. */
export interface SetMember extends WantedPackage {
  /** The listed package that this one is taken along with; undefined for a listed one. */
  readonly root: WantedPackage | undefined;
  /** Names of other packages of the set that this one depends on. */
  readonly depends: readonly string[];
}

/** A dependency that nothing satisfies. */
export interface UnmetDependency {
  readonly of: WantedPackage;
  readonly alternatives: Alternatives;
}

interface PackageSet {
  /** Listed packages first, in the order of the lists. */
  readonly members: readonly SetMember[];
  readonly unmet: readonly UnmetDependency[];
}

/** A dependency to be satisfied by a package that is not in the set yet. */
export interface OpenDependency {
  readonly of: WantedPackage;
  readonly alternatives: Alternatives;
}

interface SetInput {
  readonly listed: readonly WantedPackage[];
  /** Whether the image has what this package is for. */
  readonly isPresent: (name: string) => boolean;
  /** The dependencies of each package, in the same order. */
  readonly dependenciesOf: (
    packages: readonly WantedPackage[],
  ) => Promise<readonly (readonly Alternatives[])[]>;
  /** For each dependency, in the same order, the name of the package that is to satisfy it; undefined where none can. */
  readonly choose: (open: readonly OpenDependency[]) => Promise<readonly (string | undefined)[]>;
}

/** Follows the dependencies of the listed packages, wave by wave. A package that the lists name satisfies a dependency first. */
export async function closePackageSet(input: SetInput): Promise<PackageSet> {
  const members = new Map<
    string,
    { one: WantedPackage; root: WantedPackage | undefined; depends: Set<string> }
  >();
  const unmet: UnmetDependency[] = [];
  for (const one of input.listed) members.set(one.name, { one, root: undefined, depends: new Set() });
  const edge = (from: WantedPackage, to: string): void => {
    if (from.name !== to) members.get(from.name)?.depends.add(to);
  };
  let wave = input.listed;
  while (wave.length > 0) {
    const dependencies = await input.dependenciesOf(wave);
    const open: OpenDependency[] = [];
    for (const [index, of] of wave.entries()) {
      for (const alternatives of dependencies[index] ?? []) {
        const there = alternatives.find((name) => members.has(name));
        if (there !== undefined) edge(of, there);
        else if (!alternatives.some(input.isPresent)) open.push({ of, alternatives });
      }
    }
    const chosen = await input.choose(open);
    const next: WantedPackage[] = [];
    for (const [index, { of, alternatives }] of open.entries()) {
      // A dependency before this one may have brought an alternative.
      const name = alternatives.find((one) => members.has(one)) ?? chosen[index];
      if (name === undefined) {
        unmet.push({ of, alternatives });
        continue;
      }
      if (!members.has(name)) {
        const one = { file: `${name}.deb`, name, where: `${of.where} → ${of.file}` };
        members.set(name, { one, root: members.get(of.name)?.root ?? of, depends: new Set() });
        next.push(one);
      }
      edge(of, name);
    }
    wave = next;
  }
  return {
    members: [...members.values()].map(({ one, root, depends }) => ({ ...one, root, depends: [...depends] })),
    unmet,
  };
}

/** How many packages a note names. */
const namedPackages = 10;

/** One sentence for each listed package that others are taken along with, and for each unmet dependency. */
export function describePackageSet({ members, unmet }: PackageSet): readonly string[] {
  const taken = new Map<WantedPackage, string[]>();
  for (const { file, root } of members) {
    if (root !== undefined) taken.set(root, [...(taken.get(root) ?? []), file]);
  }
  const along = [...taken].map(([{ file, where }, files]) => {
    const more = files.length > namedPackages ? `, and ${files.length - namedPackages} more` : "";
    return `${where}: ${file}: the image also gets its dependencies ${files.slice(0, namedPackages).join(", ")}${more}`;
  });
  const missing = unmet.map(
    ({ of, alternatives }) =>
      `${of.where}: ${of.file} depends on ${alternatives.join(" or ")}: neither the image nor the lists have it, ` +
      "and apt offers none for this architecture",
  );
  return [...along, ...missing];
}
