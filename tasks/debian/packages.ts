/**
 * Which of the distribution's packages, at which versions, the sample source is made from: asked of apt, without root.
 */
import { UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { type AptRecord, parseRecords } from "./apt-records.ts";
import { alternativesOf, closePackages, type PackageWishes } from "./package-closure.ts";

export interface PlannedPackage {
  readonly name: string;
  readonly version: string;
  /** The package's own: `amd64` or `all`. */
  readonly architecture: string;
  /** As apt names the downloaded file. */
  readonly fileName: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly uri: string;
  /** Packages of the plan that this one needs, the base left out. */
  readonly depends: readonly string[];
}

/** Plain data: two plans are the same packages if their JSON is the same. */
export interface PackagePlan {
  readonly architecture: string;
  /** Names of the packages that the base is made of. */
  readonly base: readonly string[];
  /** In byte order of the names. */
  readonly packages: readonly PlannedPackage[];
}

interface PlanOptions {
  readonly $: Shell;
  readonly wanted: PackageWishes;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const dependsOptions = [
  "--recurse",
  "--no-recommends",
  "--no-suggests",
  "--no-conflicts",
  "--no-breaks",
  "--no-replaces",
  "--no-enhances",
];

/**
 * Asks apt for the newest offered version of every wanted package and of what it depends on.
 * Reads the package lists that `apt-get update` left; opens no connection.
 * Throws `UserError`: `no-apt`, `no-package-lists`, `unsupported-architecture`, `unknown-package`.
 */
export async function planPackages({ $, wanted, log, signal }: PlanOptions): Promise<PackagePlan> {
  const ask = $({ nothrow: true, ...(signal === undefined ? {} : { signal }) });
  const architecture = await readArchitecture(ask);
  const wishes = [...wanted.base, ...wanted.closed, ...wanted.alone, ...(wanted.optional ?? [])];
  const names = wishes.flatMap(alternativesOf);

  const reachable = await ask`apt-cache depends ${dependsOptions} ${names}`;
  signal?.throwIfAborted();
  const found = new Set([...names, ...readNames(reachable.stdout)]);
  const shown = await ask`apt-cache show --no-all-versions ${[...found].sort()}`;
  signal?.throwIfAborted();
  const records = parseRecords(shown.stdout);
  if (records.size === 0) throw noPackageLists(shown.stderr);

  const { base, packages } = closePackages(wanted, records);
  const chosen: AptRecord[] = [];
  for (const name of packages.keys()) {
    const record = records.get(name);
    if (record !== undefined) chosen.push(record);
  }
  const files = await readFiles(ask, chosen);
  signal?.throwIfAborted();
  log?.(`${chosen.length} packages, at most ${toMegabytes(chosen)} MB to download`);
  return {
    architecture,
    base,
    packages: chosen.map((record) => ({
      name: record.name,
      version: record.version,
      architecture: record.architecture,
      ...requireFile(record, files),
      size: record.size,
      sha256: record.sha256,
      depends: packages.get(record.name) ?? [],
    })),
  };
}

async function readArchitecture(ask: Shell): Promise<string> {
  const printed = await ask`dpkg --print-architecture`;
  if (printed.exitCode !== 0) {
    throw new UserError("the sample source needs dpkg and apt, which are not installed", {
      code: "no-apt",
      where: "dpkg --print-architecture",
      hint: "build on Debian or Ubuntu, or use a mirror with --source URL",
    });
  }
  const architecture = printed.stdout.trim();
  if (architecture !== "amd64") {
    throw new UserError(
      `the sample source supports only x86_64, but this machine's packages are ${architecture}`,
      {
        code: "unsupported-architecture",
        where: "dpkg --print-architecture",
        hint: "build on an amd64 machine, or use a mirror with --source URL",
      },
    );
  }
  return architecture;
}

/** Names at the start of a line of `apt-cache depends`; virtual packages stand in angle brackets there. */
function readNames(output: string): readonly string[] {
  // A foreign architecture's package is listed as `name:arch`.
  return output.split("\n").filter((line) => /^[a-z0-9][a-z0-9.+-]*$/.test(line));
}

/** File name and URI by package name, from lines such as `'http://…' bash_5.2_amd64.deb 1490652 SHA256:…`. */
async function readFiles(
  ask: Shell,
  records: readonly AptRecord[],
): Promise<ReadonlyMap<string, { readonly fileName: string; readonly uri: string }>> {
  const exact = records.map((record) => `${record.name}=${record.version}`);
  const printed = await ask`apt-get download --print-uris -qq -o APT::Sandbox::User=root ${exact}`;
  if (printed.exitCode !== 0) throw noPackageLists(printed.stderr);
  const files = new Map<string, { readonly fileName: string; readonly uri: string }>();
  for (const line of printed.stdout.split("\n")) {
    const [, uri, fileName] = /^'([^']*)' (\S+) \d+/.exec(line) ?? [];
    if (uri === undefined || fileName === undefined || fileName.includes("/")) continue;
    files.set(fileName.split("_", 1)[0] ?? fileName, { fileName, uri });
  }
  return files;
}

function requireFile(
  record: AptRecord,
  files: ReadonlyMap<string, { readonly fileName: string; readonly uri: string }>,
): { readonly fileName: string; readonly uri: string } {
  const file = files.get(record.name);
  if (file === undefined) throw noPackageLists(`no address for ${record.name} ${record.version}`);
  return file;
}

function noPackageLists(output: string): UserError {
  const reason = output.trim().split("\n")[0] ?? "";
  return new UserError(`apt has no packages for the sample source${reason && `: ${reason}`}`, {
    code: "no-package-lists",
    where: "apt-cache show",
    hint: "run `apt-get update` as root (or with sudo), then build again",
  });
}

function toMegabytes(records: readonly AptRecord[]): number {
  return Math.ceil(records.reduce((sum, record) => sum + record.size, 0) / 1e6);
}
