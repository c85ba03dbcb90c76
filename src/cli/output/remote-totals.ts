/** What builds of this workspace and the remote cache exchanged so far, for `task cache stats`. One small file in the cache. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { RemoteTraffic, State } from "../../engine/index.ts";

/** The file's name in the cache. */
export const remoteTotalsName = "remote.json";

const nothing: RemoteTraffic = {
  hits: 0,
  misses: 0,
  stored: 0,
  sources: 0,
  received: 0,
  sent: 0,
  savedSeconds: 0,
};

/** The totals; undefined where no build used a remote cache since the cache was emptied. */
export function readRemoteTotals(state: Pick<State, "root">): RemoteTraffic | undefined {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path.join(state.root, remoteTotalsName), "utf8"));
  } catch {
    return undefined;
  }
  return isTraffic(found) ? found : undefined;
}

/** Adds what one build exchanged. A cache that cannot be written costs the totals, and nothing else. */
export function addToRemoteTotals(state: Pick<State, "root">, traffic: RemoteTraffic): void {
  const before = readRemoteTotals(state) ?? nothing;
  const file = path.join(state.root, remoteTotalsName);
  const totals = Object.fromEntries(
    keys.map((key) => [key, Math.round((before[key] + traffic[key]) * 1000) / 1000]),
  );
  try {
    writeFileSync(`${file}.new`, JSON.stringify(totals));
    renameSync(`${file}.new`, file);
  } catch {
    // The build's own errors say what is wrong with the cache.
  }
}

const keys = Object.keys(nothing) as readonly (keyof RemoteTraffic)[];

function isTraffic(found: unknown): found is RemoteTraffic {
  return (
    typeof found === "object" &&
    found !== null &&
    keys.every((key) => Number.isFinite((found as Partial<Record<string, unknown>>)[key]))
  );
}
