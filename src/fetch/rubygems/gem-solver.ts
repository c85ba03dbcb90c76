/**
 * Choosing one release for every gem so that all requirements hold. It does not know where releases come from.
 *
 * Approach: gems in the order in which they are first needed, releases from the highest down, and back to the
 * gem before when none fits.
 */
import { UserError } from "../../errors/index.ts";
import type { GemRelease } from "./gem-index.ts";
import type { GemRequest } from "./gem-list.ts";
import { formatGemRequirement, type GemRequirement, satisfies } from "./gem-requirement.ts";
import { compareGemVersions } from "./gem-version.ts";

/** A requirement on a gem and the way that leads to it: a list line, then the gems in between. */
interface Demand {
  readonly requirement: GemRequirement;
  readonly path: readonly string[];
  readonly parents: readonly string[];
}

interface Conflict {
  readonly name: string;
  readonly demands: readonly Demand[];
  /** The releases that there are, highest first. */
  readonly available: readonly GemRelease[];
}

export type ReleasesOf = (name: string, demands: readonly Demand[]) => Promise<readonly GemRelease[]>;

/** Chosen releases by name, in the order in which they were first needed; or the first conflict met. */
type Solution = { readonly chosen: ReadonlyMap<string, GemRelease> } | { readonly conflict: Conflict };

interface State {
  readonly chosen: ReadonlyMap<string, GemRelease>;
  readonly demands: ReadonlyMap<string, readonly Demand[]>;
}

/** Enough for any real set of gems, and little enough to end in seconds for one that was made to take for ever. */
const maxSteps = 20_000;

export async function solveGems(requests: readonly GemRequest[], releasesOf: ReleasesOf): Promise<Solution> {
  const demands = new Map<string, readonly Demand[]>();
  for (const { name, requirement, where } of requests) {
    demands.set(name, [...(demands.get(name) ?? []), { requirement, path: [where], parents: [] }]);
  }
  let steps = 0;
  let firstConflict: Conflict | undefined;

  const search = async (state: State): Promise<ReadonlyMap<string, GemRelease> | undefined> => {
    const next = [...state.demands.keys()].find((name) => !state.chosen.has(name));
    if (next === undefined) return state.chosen;
    const nextDemands = state.demands.get(next) ?? [];
    const available = [...(await releasesOf(next, nextDemands))].sort((a, b) =>
      compareGemVersions(b.version, a.version),
    );
    const fitting = available.filter((release) => fits(release, nextDemands));
    if (fitting.length === 0) firstConflict ??= { name: next, demands: nextDemands, available };
    for (const release of fitting) {
      steps += 1;
      if (steps > maxSteps) return undefined;
      const extended = extend(state, release, nextDemands[0]);
      if ("name" in extended) {
        const all = await releasesOf(extended.name, extended.demands);
        firstConflict ??= { ...extended, available: all };
        continue;
      }
      const found = await search(extended);
      if (found !== undefined || steps > maxSteps) return found;
    }
    return undefined;
  };

  const chosen = await search({ chosen: new Map(), demands });
  if (chosen !== undefined) return { chosen };
  return { conflict: firstConflict ?? { name: requests[0]?.name ?? "", demands: [], available: [] } };
}

/** Prereleases only count when somebody asked for one. */
function fits(release: GemRelease, demands: readonly Demand[]): boolean {
  if (release.version.prerelease && !demands.some(({ requirement }) => requirement.prerelease)) return false;
  return demands.every(({ requirement }) => satisfies(release.version, requirement));
}

/** The state with one more gem chosen; or the gem chosen before that no longer fits, with what it should fit. */
function extend(
  state: State,
  release: GemRelease,
  via: Demand | undefined,
): State | { readonly name: string; readonly demands: readonly Demand[] } {
  const chosen = new Map([...state.chosen, [release.name, release]]);
  const demands = new Map(state.demands);
  for (const dep of release.deps) {
    const demand: Demand = {
      requirement: dep.requirement,
      path: [...(via?.path ?? []), `${release.name} ${release.version.text}`],
      parents: [...(via?.parents ?? []), release.name],
    };
    const all = [...(demands.get(dep.name) ?? []), demand];
    demands.set(dep.name, all);
    const earlier = chosen.get(dep.name);
    if (earlier !== undefined && !fits(earlier, all)) return { name: dep.name, demands: all };
  }
  return { chosen, demands };
}

/** Says why there is no solution, with the paths to the requirements that exclude each other. */
export function explainConflict({ name, demands, available }: Conflict): UserError {
  const said = (demand: Demand): string =>
    `"${formatGemRequirement(demand.requirement)}" (${[...demand.path, name].join(" → ")})`;
  const where = demands[0]?.path[0];
  const place = where === undefined ? {} : { where };
  const lonely = demands.find((demand) => !available.some((release) => fits(release, [demand])));
  if (lonely !== undefined) {
    return notFound(name, lonely, available, said(lonely), place);
  }
  for (const [index, one] of demands.entries()) {
    const other = demands
      .slice(index + 1)
      .find((candidate) => !available.some((release) => fits(release, [one, candidate])));
    if (other === undefined) continue;
    return new UserError(`no version of ${name} satisfies both ${said(one)} and ${said(other)}`, {
      code: "gem-conflict",
      ...place,
      hint: "relax one of the requirements in the gem list, or require another version of a gem in between",
    });
  }
  return new UserError(`no version of ${name} satisfies all of ${demands.map(said).join(", ")}`, {
    code: "gem-conflict",
    ...place,
    hint: "relax one of the requirements in the gem list",
  });
}

/** Says why nothing fits a single requirement: no release does, or only ones that have to be asked for by name. */
function notFound(
  name: string,
  demand: Demand,
  available: readonly GemRelease[],
  said: string,
  place: { readonly where?: string },
): UserError {
  const sorted = available.map(({ version }) => version).sort((a, b) => compareGemVersions(b, a));
  const [highest] = sorted;
  const newest =
    highest === undefined ? "no version exists for the platform ruby" : `the highest is ${highest.text}`;
  const prerelease = sorted.find((version) => satisfies(version, demand.requirement));
  return new UserError(`no version of ${name} satisfies ${said}: ${newest}`, {
    code: "gem-not-found",
    ...place,
    hint:
      prerelease === undefined
        ? "require a version that the gem server has for the platform ruby"
        : `${prerelease.text} is a prerelease, which must be required explicitly: ${name} = ${prerelease.text}`,
  });
}
