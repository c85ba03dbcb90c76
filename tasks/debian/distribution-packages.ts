/**
 * Packages of the distribution, by name: what apt offers, and their files, each checked against what apt or the lock
 * says of it.
 */
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  type Change,
  entryOf,
  type LockEntry,
  type LockLine,
  type SourceLock,
  type Update,
} from "../../src/fetch/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { type Alternatives, type AptRecord, parseRecords } from "./apt-records.ts";
import { downloadPackages } from "./downloads.ts";
import type { PlannedPackage } from "./packages.ts";

/** A package as a list names it. */
export interface WantedPackage {
  /** `hello.deb` */
  readonly file: string;
  /** `hello` */
  readonly name: string;
  /** The line that names it. */
  readonly where: string;
}

/** A package that apt offers. */
export type OfferedPackage = WantedPackage &
  Omit<PlannedPackage, "depends" | "name"> & { readonly dependencies: readonly Alternatives[] };

/**
 * What apt offers under these names: the pinned version as long as it has that, else the one that it would install.
 * Reads the package lists that `apt-get update` left. Throws a UserError for names that apt does not know.
 */
export async function findPackages(
  $: Shell,
  wanted: readonly WantedPackage[],
  pins: SourceLock = new Map(),
): Promise<readonly OfferedPackage[]> {
  if (wanted.length === 0) return [];
  const ask = $({ nothrow: true });
  const exact = wanted.flatMap(({ file, name }) => {
    const version = entryOf(pins, file)?.version;
    return version === undefined ? [] : [`${name}=${version}`];
  });
  const pinned = exact.length === 0 ? new Map<string, AptRecord>() : await readRecords(ask, exact);
  const others = wanted.filter(({ name }) => !pinned.has(name)).map(({ name }) => name);
  const records = new Map([...pinned, ...(others.length === 0 ? [] : await readRecords(ask, others))]);
  const missing = wanted.filter(({ name }) => !records.has(name));
  if (missing.length > 0) {
    const names = missing.map(({ name, where }) => `${name} (${where})`).join(", ");
    throw new UserError(`the distribution has no package ${names}`, {
      code: "unknown-package",
      where: missing[0]?.where ?? "apt-cache show",
      hint: "check the name with `apt-cache policy NAME`; if apt has no package lists, run `apt-get update` as root",
    });
  }
  return await Promise.all(
    wanted.map(async (one) => {
      const record = records.get(one.name);
      if (record === undefined) throw new Error(`no record of ${one.name}`);
      return { ...one, ...(await locate(ask, record, one.where)), ...factsOf(record) };
    }),
  );
}

async function readRecords(ask: Shell, names: readonly string[]): Promise<ReadonlyMap<string, AptRecord>> {
  // One name that apt does not know makes it fail, and yet it prints the others.
  return parseRecords((await ask`apt-cache show --no-all-versions ${names}`).stdout);
}

function factsOf({ version, architecture, size, sha256, depends }: AptRecord) {
  return { version, architecture, size, sha256, dependencies: depends };
}

/** Where apt would get it and how the file would be called: `'URI' NAME_VERSION_ARCH.deb SIZE HASH`. */
async function locate(ask: Shell, { name, version }: AptRecord, where: string) {
  const options = ["--print-uris", "-qq", "-o", "APT::Sandbox::User=root"];
  const printed = await ask`apt-get download ${options} ${`${name}=${version}`}`;
  const [, uri, fileName] = /^'([^']*)' (\S+) \d+/m.exec(printed.stdout) ?? [];
  if (uri !== undefined && fileName !== undefined && !fileName.includes("/")) return { uri, fileName };
  throw new UserError(`apt has no download URL for ${name} ${version}`, {
    code: "package-download",
    where: `${where}: ${name}.deb`,
    hint: "run `apt-get update` as root, then build again",
  });
}

/** Downloads the packages into `dir` (absolute; made) and returns each one's path by file name as in the list. */
export async function fetchPackages(
  $: Shell,
  packages: readonly OfferedPackage[],
  dir: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (packages.length === 0) return new Map();
  const plan = {
    architecture: "",
    base: [],
    packages: packages.map((one) => ({ ...one, depends: [] })),
  };
  const label = (name: string): string => {
    const one = packages.find((wanted) => wanted.name === name);
    return one === undefined ? name : `${one.where}: ${one.file}`;
  };
  await downloadPackages({ $, plan, dir, signal, label });
  return new Map(packages.map(({ file, fileName }) => [file, path.join(dir, fileName)]));
}

/** The lock's line for a package. */
export function packageLine({ version, uri, size, sha256 }: OfferedPackage): LockEntry {
  return { version, url: uri, size, sha256 };
}

/** Throws when apt now offers other bytes than those that are pinned. */
export function checkPin(offered: OfferedPackage, pin: LockEntry): void {
  if (offered.sha256 === pin.sha256 && offered.size === pin.size) return;
  throw new UserError(
    `${offered.file} is pinned at ${pin.version} (sha256 ${pin.sha256}), but apt offers ${offered.version} ` +
      `(sha256 ${offered.sha256})`,
    {
      code: "lock-mismatch",
      where: offered.where,
      hint: `if the change is expected: npx task update ${offered.file}`,
    },
  );
}

/**
 * What becomes of the pins when apt is asked again, by `find`, for the packages that `names` mean (without any, for all).
 * Packages that no list names are dropped when all are meant. Throws a UserError for a name that means nothing.
 */
export async function updatePackagePins(
  wanted: readonly WantedPackage[],
  names: readonly string[],
  pins: SourceLock,
  find: (meant: readonly WantedPackage[]) => Promise<readonly OfferedPackage[]>,
): Promise<Update> {
  const unknown = names.find((name) => !wanted.some(({ file }) => file === name) && !pins.has(name));
  if (unknown !== undefined) {
    throw new UserError(`"${unknown}" is neither in the lists nor in the lock`, {
      code: "unknown-artifact",
      hint: "`task update` without names checks all artifacts",
    });
  }
  const meant = wanted.filter(({ file }) => names.length === 0 || names.includes(file));
  const lines = new Map<string, LockLine | undefined>();
  const changes: Change[] = [];
  for (const offered of await find(meant)) {
    const { file: name, where } = offered;
    const before = entryOf(pins, name);
    const after = packageLine(offered);
    lines.set(name, after);
    if (before === undefined) changes.push({ name, where, kind: "added", after });
    else
      changes.push({
        name,
        where,
        kind: before.sha256 === after.sha256 ? "unchanged" : "changed",
        before,
        after,
      });
  }
  for (const name of pins.keys()) {
    const isWanted = wanted.some(({ file }) => file === name);
    if (!name.endsWith(".deb") || isWanted || (names.length > 0 && !names.includes(name))) continue;
    const before = entryOf(pins, name);
    lines.set(name, undefined);
    if (before !== undefined) changes.push({ name, kind: "removed", before });
  }
  return { lines, changes };
}
