/**
 * From a gem list to the gems to fetch: pinned releases where they still fit, the highest that fit otherwise.
 * It needs no Ruby and downloads no gem.
 */
import { didYouMean, UserError } from "../../errors/index.ts";
import { joinLocation } from "../http/location.ts";
import type { SettingNames } from "../http/setting-names.ts";
import type { Artifact } from "../pins/artifact.ts";
import { entryOf, type SourceLock } from "../pins/lock.ts";
import { type Policy, policyFor, refuseUnpinned, type Wanted } from "../pins/pinning.ts";
import type { GemIndex, GemRelease } from "./gem-index.ts";
import type { GemRequest } from "./gem-list.ts";
import {
  formatGemRequirement,
  type GemRequirement,
  parseGemRequirement,
  satisfies,
} from "./gem-requirement.ts";
import { explainConflict, type ReleasesOf, solveGems } from "./gem-solver.ts";
import { parseGemVersion } from "./gem-version.ts";

export interface GemsInput {
  readonly requests: readonly GemRequest[];
  /** URL or absolute path above `info` and `gems`. */
  readonly server: string;
  readonly lock: SourceLock;
  readonly index: GemIndex;
  readonly policy: Policy;
  /** What the settings are called, for hints. */
  readonly settings?: SettingNames;
  /** Told of gems that the policy forbids to ask for, instead of an error: they are left out of the artifacts. */
  readonly onUnpinned?: (wanted: Wanted) => void;
  /** When given, releases that say they do not run on this Ruby are not chosen. */
  readonly ruby?: string;
}

export interface GemsResolution {
  /** Dependencies before dependents, in the order of the list otherwise. */
  readonly artifacts: readonly Artifact[];
  /** Lock lines of gems of these names in versions that are no longer used. */
  readonly obsolete: readonly string[];
}

/** Throws a UserError for an unknown gem, for requirements that exclude each other, and for what may not be asked. */
export async function resolveGems(given: GemsInput): Promise<GemsResolution> {
  const input = { ...given, policy: policyFor(given.server, given.policy) };
  const pinned = pinnedReleases(input.lock);
  const released = new Set<string>();
  if (input.policy === "pin") {
    // Asked for all at once; what the list leads to follows one by one. A failure shows when the answer is used.
    for (const { name, where } of input.requests) {
      if (!pinned.has(name)) input.index.releases(name, where).catch(() => undefined);
    }
  }
  for (;;) {
    const unpinned: Wanted[] = [];
    const solution = await solveGems(input.requests, releasesFor(input, pinned, released, unpinned));
    if (input.onUnpinned !== undefined && "chosen" in solution) {
      const names = new Set(unpinned.map(({ name }) => name));
      for (const wanted of unpinned) input.onUnpinned(wanted);
      return describe(input, new Map([...solution.chosen].filter(([name]) => !names.has(name))));
    }
    // What is missing is listed first: with releases missing, a conflict proves nothing.
    refuseUnpinned(unpinned, input.policy, input.settings);
    if ("chosen" in solution) return describe(input, solution.chosen);
    const { conflict } = solution;
    // A pin yields to a changed list: first the gem itself, then those that led to it.
    const involved = [conflict.name, ...conflict.demands.flatMap((demand) => demand.parents)];
    const yielding = involved.filter((name) => pinned.has(name) && !released.has(name));
    if (yielding.length === 0) throw explainConflict(conflict);
    const [first = conflict.name] = yielding;
    if (input.policy !== "pin")
      refuseUnpinned([{ name: first, where: conflict.demands[0]?.path[0] }], input.policy, input.settings);
    if (first === conflict.name) released.add(first);
    else for (const name of yielding) released.add(name);
  }
}

function releasesFor(
  input: GemsInput,
  pinned: ReadonlyMap<string, readonly GemRelease[]>,
  released: ReadonlySet<string>,
  unpinned: Wanted[],
): ReleasesOf {
  const ruby = input.ruby === undefined ? undefined : parseGemVersion(input.ruby);
  const runs = (release: GemRelease): boolean =>
    ruby === undefined || release.ruby === undefined || satisfies(ruby, release.ruby);
  return async (name, demands) => {
    const locked = pinned.get(name);
    if (locked !== undefined && !released.has(name)) return locked;
    const path = demands[0]?.path ?? [];
    if (input.policy !== "pin") {
      if (!unpinned.some((one) => one.name === name)) unpinned.push({ name, where: path.join(" → ") });
      // Any version will do for going on, so that all that is missing is found.
      return [{ name, version: versionFor(demands), deps: [], sha256: undefined, ruby: undefined }];
    }
    const all = await input.index.releases(name, path.join(" → "));
    if (all === undefined) throw unknownGem(name, path, input);
    return all.filter(runs);
  };
}

function versionFor(demands: readonly { readonly requirement: GemRequirement }[]) {
  const bounds = demands.flatMap(({ requirement }) => requirement.bounds);
  const exact = bounds.find((bound) => bound.operator !== "!=" && bound.operator !== "<")?.version;
  return exact ?? { text: "0", segments: [0n], prerelease: false };
}

function unknownGem(
  name: string,
  path: readonly string[],
  { requests, settings = {} }: Pick<GemsInput, "requests" | "settings">,
): UserError {
  const others = requests.map((request) => request.name).filter((other) => other !== name);
  const parent = path.at(-1);
  const what = path.length > 1 ? `${parent} needs the gem ${name}, which` : `the gem ${name}`;
  return new UserError(
    `${what} does not exist on the gem server${path.length > 1 ? ` (${path.join(" → ")})` : ""}`,
    {
      code: "unknown-gem",
      ...(path[0] === undefined ? {} : { where: path[0] }),
      hint:
        didYouMean(name, others) ??
        (path.length > 1 && settings.update !== undefined
          ? `if the gem server has a newer ${parent}: ${settings.update} ${parent}`
          : "check the name"),
    },
  );
}

/** The releases that the lock knows, by gem. */
function pinnedReleases(lock: SourceLock): ReadonlyMap<string, readonly GemRelease[]> {
  const pinned = new Map<string, GemRelease[]>();
  for (const file of lock.keys()) {
    const entry = entryOf(lock, file);
    const version = entry?.version === undefined ? undefined : parseGemVersion(entry.version);
    if (entry === undefined || version === undefined) continue;
    const name = gemNameOf(file, version.text);
    if (name === undefined) continue;
    const deps = (entry.deps ?? []).map(parseDependency);
    if (deps.some((dep) => dep === undefined)) continue;
    const release: GemRelease = {
      name,
      version,
      deps: deps.filter((dep) => dep !== undefined),
      sha256: entry.sha256,
      ruby: undefined,
    };
    pinned.set(name, [...(pinned.get(name) ?? []), release]);
  }
  return pinned;
}

/** `json_pure` for `json_pure-1.7.7.gem`. */
export function gemNameOf(file: string, version: string): string | undefined {
  const tail = `-${version}.gem`;
  return file.endsWith(tail) ? file.slice(0, -tail.length) : undefined;
}

function parseDependency(text: string) {
  const [, name = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const requirement = parseGemRequirement(rest);
  return name === "" || requirement === undefined ? undefined : { name, requirement };
}

function describe(input: GemsInput, chosen: ReadonlyMap<string, GemRelease>): GemsResolution {
  const artifacts = new Map<string, Artifact>();
  const visited = new Set<string>();
  const add = (name: string, path: readonly string[]): void => {
    const release = chosen.get(name);
    if (release === undefined || visited.has(name)) return;
    visited.add(name);
    for (const dep of release.deps) add(dep.name, [...path, name]);
    const version = release.version.text;
    const file = `${name}-${version}.gem`;
    artifacts.set(name, {
      name: file,
      url: joinLocation(input.server, "gems", file),
      kind: "gem",
      tail: `gems/${file}`,
      version,
      deps: release.deps.map((dep) => `${dep.name} ${formatGemRequirement(dep.requirement)}`),
      where: path.join(" → "),
      ...(release.sha256 === undefined ? {} : { sha256: release.sha256 }),
    });
  };
  for (const { name, where } of input.requests) add(name, [where]);
  const used = new Set([...artifacts.values()].map((artifact) => artifact.name));
  const obsolete: string[] = [];
  for (const [file] of input.lock) {
    const version = entryOf(input.lock, file)?.version;
    const name = version === undefined ? undefined : gemNameOf(file, version);
    if (name !== undefined && artifacts.has(name) && !used.has(file)) obsolete.push(file);
  }
  return { artifacts: [...artifacts.values()], obsolete };
}
