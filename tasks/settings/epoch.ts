/**
 * The time of everything that a build makes: never the clock's, so that the same inputs make the same bytes.
 */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { ParameterHost } from "../../src/engine/index.ts";
import { askGit } from "./git.ts";

/** The commit's time; without git the newest time below overlay-src and lists. In seconds since 1970. */
export async function sourceDateEpoch(host: ParameterHost): Promise<string> {
  const committed = await askGit(host, ["log", "-1", "--format=%ct"]);
  if (committed !== undefined && /^\d+$/.test(committed)) return committed;
  // Every file's time counts, and nobody keeps a list of them.
  host.lookedAt("file times", async () => undefined);
  const times = ["overlay-src", "lists"].map((folder) => newestIn(path.join(host.root, folder)));
  return String(Math.floor(Math.max(0, ...times) / 1000));
}

function newestIn(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return Math.max(
    0,
    ...entries
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs),
  );
}
