/** The sample source: a mirror of the distribution's own packages, made by a step and served to the fetch steps. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { defineMirror, serveDirectory } from "../../../src/fetch/index.ts";
import { sampleSource } from "../../sample-source.ts";
import type { SourceKind, SourceLocations } from "./source-kind.ts";

const release = "14.x";
const arch = "x86_64";

export const sample: SourceKind = {
  name: "sample",
  description: "sample",
  matches: (source) => source === "sample",
  needs: sampleSource,
  // Its packages move with the distribution.
  lock: { file: ".buildcache/sample.lock.json", pins: "recorded", hasTimes: false },
  withoutUpstream: {
    update:
      "the sample source follows apt: run `apt-get update` as root, and the next build takes what is new",
    doctor: "the sample source is made on this machine",
  },
  async open({ made, offline }) {
    if (made === undefined) throw new Error("the sample source was not made");
    const server = offline ? undefined : await serveDirectory(made);
    return {
      locations: sampleLocations(server?.url ?? made, made),
      isLocal: true,
      close: async () => server?.close(),
    };
  },
};

/** `base` is where the mirror is served, `folder` where it lies: a name with a version is found by looking. */
function sampleLocations(base: string, folder: string): SourceLocations {
  const offered = readdirSync(path.join(folder, "extras"));
  const extra = (start: string): string | undefined => {
    const name = offered.find((candidate) => candidate.startsWith(start));
    return name === undefined ? undefined : `${base}/extras/${name}`;
  };
  return {
    mirror: defineMirror(base, release, arch),
    gems: `${base}/gems`,
    extras: {
      rubygems: extra("rubygems-"),
      mcollective: extra("mcollective-"),
      "open-vm-tools": extra("mk-open-vm-tools"),
    },
  };
}
