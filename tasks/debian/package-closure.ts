/**
 * Which packages a wish needs, decided from records alone.
 * The records were read before.
 */
import { UserError } from "../../src/errors/index.ts";
import type { Alternatives, AptRecord } from "./apt-records.ts";

/**
 * What the sample source is made of. A wish is a package name, or several joined by ` | ` of which the first
 * that the distribution has is taken: names differ between Debian, Ubuntu and their releases.
 */
export interface PackageWishes {
  /** Packages of the base: taken alone, and never taken again by anything that depends on them. */
  readonly base: readonly string[];
  /** Packages that are taken with all they depend on. */
  readonly closed: readonly string[];
  /** Packages that are taken alone. */
  readonly alone: readonly string[];
  /** Packages that are taken alone where the distribution has them. */
  readonly optional?: readonly string[];
  /** Packages that count as present wherever something depends on them. */
  readonly satisfied: ReadonlySet<string>;
}

interface PackageClosure {
  /** Names of the packages of the base, in the order of the wishes. */
  readonly base: readonly string[];
  /** Every package, by name in byte order, with the names that it depends on in the order of its record. */
  readonly packages: ReadonlyMap<string, readonly string[]>;
}

/** The alternatives of a wish. */
export function alternativesOf(wish: string): Alternatives {
  return wish.split("|").map((name) => name.trim());
}

/**
 * Follows the dependencies of the wishes through `records`.
 * Throws `UserError` `unknown-package` for a wish or a dependency that no record satisfies.
 */
export function closePackages(
  wishes: PackageWishes,
  records: ReadonlyMap<string, AptRecord>,
): PackageClosure {
  const providers = indexProviders(records);
  const base = wishes.base.flatMap((wish) => resolveKernel(requireRecord(wish, records), records));
  const present = new Set([...wishes.satisfied, ...base]);
  const packages = new Map<string, readonly string[]>();
  for (const name of base) packages.set(name, []);

  const queue = wishes.closed.map((wish) => requireRecord(wish, records).name);
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (packages.has(name)) continue;
    const depends: string[] = [];
    for (const alternatives of records.get(name)?.depends ?? []) {
      if (alternatives.some((alternative) => present.has(alternative))) continue;
      const chosen = choose(alternatives, records, providers);
      if (chosen === undefined) throw unknownPackage(alternatives.join(" | "), `needed by ${name}`);
      if (chosen !== name && !present.has(chosen) && !depends.includes(chosen)) depends.push(chosen);
    }
    packages.set(name, depends);
    queue.push(...depends);
  }
  for (const wish of wishes.alone) {
    const { name } = requireRecord(wish, records);
    if (!packages.has(name)) packages.set(name, []);
  }
  for (const wish of wishes.optional ?? []) {
    const name = alternativesOf(wish).find((alternative) => records.has(alternative));
    if (name !== undefined && !packages.has(name)) packages.set(name, []);
  }
  return { base, packages: new Map([...packages].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** The first alternative that is a package, else the first package (by name) that provides one of them. */
function choose(
  alternatives: Alternatives,
  records: ReadonlyMap<string, AptRecord>,
  providers: ReadonlyMap<string, string>,
): string | undefined {
  const real = alternatives.find((name) => records.has(name));
  return real ?? alternatives.map((name) => providers.get(name)).find((name) => name !== undefined);
}

function indexProviders(records: ReadonlyMap<string, AptRecord>): ReadonlyMap<string, string> {
  const providers = new Map<string, string>();
  for (const name of [...records.keys()].sort()) {
    for (const provided of records.get(name)?.provides ?? []) {
      if (!providers.has(provided)) providers.set(provided, name);
    }
  }
  return providers;
}

/**
 * `linux-image-amd64` and its like hold nothing but the name of the newest kernel package; that one is wanted,
 * and on Ubuntu the package of its modules too.
 */
function resolveKernel(record: AptRecord, records: ReadonlyMap<string, AptRecord>): readonly string[] {
  if (!record.name.startsWith("linux-image-")) return [record.name];
  const depends = record.depends.flat().filter((name) => records.has(name));
  const image = depends.find((name) => /^linux-image-(unsigned-)?\d/.test(name));
  if (image !== undefined && !/^linux-image-(unsigned-)?\d/.test(record.name)) {
    const kernel = records.get(image);
    if (kernel !== undefined) return resolveKernel(kernel, records);
  }
  return [record.name, ...depends.filter((name) => /^linux-modules-\d/.test(name))];
}

function requireRecord(wish: string, records: ReadonlyMap<string, AptRecord>): AptRecord {
  for (const name of alternativesOf(wish)) {
    const record = records.get(name);
    if (record !== undefined) return record;
  }
  throw unknownPackage(wish, "needed by the sample source");
}

function unknownPackage(name: string, why: string): UserError {
  return new UserError(`the distribution has no package ${name}, ${why}`, {
    code: "unknown-package",
    where: "apt-cache show",
    hint: "run `apt-get update` as root and try again; the sample source needs Debian 12 or a current Ubuntu",
  });
}
