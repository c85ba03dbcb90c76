/** Which package satisfies a dependency: a pinned one, else one that apt offers. */
import { entryOf, type SourceLock } from "../../src/fetch/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { type AptRecord, parseRecords } from "./apt-records.ts";
import type { OpenDependency } from "./package-set.ts";

interface ChoiceOptions {
  readonly $: Shell;
  readonly pins: SourceLock;
  /** Names that pinned packages provide, by the package's name. */
  readonly provided: () => Promise<ReadonlyMap<string, readonly string[]>>;
  /** The image's architecture, as Debian calls it. */
  readonly architecture: string;
}

/**
 * A function that chooses for many dependencies at once, from the package lists that `apt-get update` left: the first alternative that
 * is pinned or offered for the architecture, else the first package by name that provides one.
 */
export function chooserOf({ $, pins, provided, architecture }: ChoiceOptions) {
  const ask = $({ nothrow: true });
  const records = new Map<string, AptRecord>();
  const providers = new Map<string, readonly string[]>();
  const isPinned = (name: string): boolean => entryOf(pins, `${name}.deb`) !== undefined;
  const isOffered = (name: string): boolean => {
    const offered = records.get(name)?.architecture;
    return offered === "all" || offered === architecture;
  };

  const readRecords = async (names: readonly string[]): Promise<void> => {
    if (names.length === 0) return;
    // One name that apt does not know makes it fail, and yet it prints the others.
    const printed = await ask`apt-cache show --no-all-versions ${names}`;
    for (const [name, record] of parseRecords(printed.stdout)) records.set(name, record);
  };
  const choice = (alternatives: readonly string[]): string | undefined =>
    alternatives.find(isPinned) ??
    alternatives.find(isOffered) ??
    alternatives
      .flatMap((name) => providers.get(name) ?? [])
      .find((name) => isPinned(name) || isOffered(name));

  return async (open: readonly OpenDependency[]): Promise<readonly (string | undefined)[]> => {
    const unknown = new Set(
      open
        .filter(({ alternatives }) => !alternatives.some(isPinned))
        .flatMap(({ alternatives }) => alternatives)
        .filter((name) => !records.has(name) && !providers.has(name)),
    );
    await readRecords([...unknown]);
    const virtual = [...unknown].filter((name) => !records.has(name));
    if (virtual.length > 0) {
      const pinned = await provided();
      const offered = parseProviders((await ask`apt-cache showpkg ${virtual}`).stdout);
      await readRecords([...new Set([...offered.values()].flat())].filter((name) => !records.has(name)));
      for (const name of virtual) {
        const known = [...pinned].filter(([, names]) => names.includes(name)).map(([provider]) => provider);
        providers.set(name, [...known.sort(), ...(offered.get(name) ?? [])]);
      }
    }
    return open.map(({ alternatives }) => choice(alternatives));
  };
}

/** Names of the packages that provide each name, in byte order, from the output of `apt-cache showpkg` (apt-cache(8)). */
export function parseProviders(output: string): ReadonlyMap<string, readonly string[]> {
  const providers = new Map<string, string[]>();
  for (const text of output.split(/^Package: /m).slice(1)) {
    const [name = "", ...lines] = text.split("\n");
    const start = lines.findIndex((line) => line.startsWith("Reverse Provides:"));
    const names = lines.slice(start + 1).flatMap((line) => /^([a-z0-9][a-z0-9+.-]*) /.exec(line)?.[1] ?? []);
    if (start >= 0) providers.set(name.trim(), [...new Set(names)].sort());
  }
  return providers;
}
