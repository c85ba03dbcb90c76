/**
 * The packages to convert, from those that lists name: what they depend on is read from packages at hand, else asked of apt. Nothing is
 * downloaded.
 */
import type { LockEntry, SourceLock, Wanted } from "../../src/fetch/index.ts";
import type { DebControl, FileTree } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { type Alternatives, parseDependencies } from "./apt-records.ts";
import { chooserOf } from "./dependency-choice.ts";
import { findPackages, type OfferedPackage, type WantedPackage } from "./distribution-packages.ts";
import { closePackageSet, type OpenDependency, type SetMember, type UnmetDependency } from "./package-set.ts";
import { presenceIn } from "./present-packages.ts";

/** Pinned packages in the cache. */
interface PackagesAtHand {
  /** The pin of a package whose bytes are at hand. */
  readonly find: (one: WantedPackage) => LockEntry | undefined;
  /** Reads a package that `find` has. */
  readonly read: (one: WantedPackage, pin: LockEntry) => Promise<DebControl>;
}

interface ResolutionOptions {
  readonly $: Shell;
  readonly listed: readonly WantedPackage[];
  readonly pins: SourceLock;
  /** Whether apt must offer the pinned versions. */
  readonly isBinding: boolean;
  /** Packages that need not be asked of apt; undefined to ask for all. */
  readonly atHand: PackagesAtHand | undefined;
  /** Whether a package may be fetched that is not at hand. */
  readonly mayFetch: (one: WantedPackage) => boolean;
  /** What Core's initrd holds. */
  readonly core: FileTree;
  /** The image's architecture, as Debian calls it. */
  readonly architecture: string;
}

interface Resolution {
  readonly members: readonly SetMember[];
  readonly unmet: readonly UnmetDependency[];
  /** Packages to fetch. */
  readonly offered: readonly OfferedPackage[];
  /** Packages that would have to be fetched and may not be. */
  readonly forbidden: readonly Wanted[];
}

/** @throws UserError `unknown-package`, `package-download` */
export async function resolvePackages(options: ResolutionOptions): Promise<Resolution> {
  const { $, listed, pins, atHand } = options;
  const controlOf = async (one: WantedPackage): Promise<DebControl | undefined> => {
    const pin = atHand?.find(one);
    return pin === undefined ? undefined : await atHand?.read(one, pin);
  };
  const offered: OfferedPackage[] = [];
  const forbidden: WantedPackage[] = [];
  const provided = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
    const names = new Map<string, readonly string[]>();
    for (const file of pins.keys()) {
      const one = { file, name: file.replace(/\.deb$/, ""), where: file };
      const control = file.endsWith(".deb") ? await controlOf(one) : undefined;
      if (control !== undefined)
        names.set(one.name, parseDependencies(control.fields.get("Provides")).flat());
    }
    return names;
  };
  const chooseOffered = chooserOf({ $, pins, provided, architecture: options.architecture });

  const { members, unmet } = await closePackageSet({
    listed,
    isPresent: presenceIn(options.core),
    async dependenciesOf(packages) {
      const missing = packages.filter((one) => atHand?.find(one) === undefined);
      forbidden.push(...missing.filter((one) => !options.mayFetch(one)));
      const fetched = missing.filter(options.mayFetch);
      const found = await findPackages($, fetched, options.isBinding ? pins : new Map());
      offered.push(...found);
      return await Promise.all(
        packages.map(async (one): Promise<readonly Alternatives[]> => {
          const control = await controlOf(one);
          if (control !== undefined) return dependenciesIn(control);
          return found.find(({ file }) => file === one.file)?.dependencies ?? [];
        }),
      );
    },
    choose: async (open: readonly OpenDependency[]) => (open.length === 0 ? [] : await chooseOffered(open)),
  });
  return {
    members,
    unmet,
    offered,
    forbidden: forbidden.map(({ file, where }) => ({ name: file, where })),
  };
}

/** `Pre-Depends` and `Depends` of a package, in this order. */
function dependenciesIn({ fields }: DebControl): readonly Alternatives[] {
  return [...parseDependencies(fields.get("Pre-Depends")), ...parseDependencies(fields.get("Depends"))];
}
