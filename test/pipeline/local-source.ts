/** A source of a workspace that is an HTTP server on this machine, with the layout of the sample's mirror. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, stringify } from "yaml";
import type { Workspace } from "./workspace.ts";

/** The mirror that the sample source makes, in a workspace in which that was done. */
export function sampleMirror(workspace: Workspace): string {
  return workspace.path(".buildcache/v1/out/shared/sample-source/mirror");
}

/** Adds the source `local` to the workspace's sources file: the directory `mirror` (absolute), which is served at `url`. */
export async function addLocalSource(workspace: Workspace, url: string, mirror: string): Promise<void> {
  const extras = await readdir(path.join(mirror, "extras"));
  const extra = (start: string): string =>
    `${url}/extras/${extras.find((name) => name.startsWith(start)) ?? "missing"}`;
  const local = {
    ...{ mirror: url, release: "14.x", arch: "x86_64", gems: `${url}/gems` },
    ...{ rubygems: extra("rubygems-"), mcollective: extra("mcollective-"), "open-vm-tools": "none" },
  };
  const file = workspace.path("lists/sources.yaml");
  await writeFile(file, stringify({ ...parse(await readFile(file, "utf8")), local }));
}
