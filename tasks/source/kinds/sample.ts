/** The sample source: a mirror of the distribution's own packages, made by a step and served to the fetch steps. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { defineMirror } from "../../../src/fetch/index.ts";
import { serveDirectory } from "../../../src/serve/index.ts";
import { sampleDownloads, sampleSource } from "../../sample-source.ts";
import type { ExtraName, SourceKind, SourceLocations } from "./source-kind.ts";
import { isRecord, readSources } from "./sources-file.ts";

const release = "14.x";
const arch = "x86_64";

export const sample: SourceKind = {
  name: "sample",
  description: "sample",
  matches: (source) => source === "sample",
  isListed: false,
  needs: sampleSource,
  // Its packages move with the distribution.
  lock: { file: ".buildcache/sample.lock.json", pins: "recorded", hasTimes: false },
  downloads: sampleDownloads,
  withoutUpstream: {
    update:
      "the sample source follows apt: run `apt-get update` as root, and the next build uses the new packages",
    doctor: "not needed: the sample source is made on this machine",
  },
  async open({ made, sourcesFile, offline }) {
    if (made === undefined) throw new Error("the sample source was not made");
    const { sample: entry } = await readSources(sourcesFile);
    const leftOut = (extra: ExtraName): boolean => isRecord(entry) && entry[extra] === "none";
    const server = offline ? undefined : await serveDirectory(made);
    return {
      locations: sampleLocations(server?.url ?? made, made, leftOut),
      isLocal: true,
      close: async () => server?.close(),
    };
  },
};

/**
 * `base` is where the mirror is served, `directory` where it lies: a name with a version is found by looking. Extras that the
 * sample's entry in the sources file gives as `none` are left out.
 */
function sampleLocations(
  base: string,
  directory: string,
  leftOut: (extra: ExtraName) => boolean,
): SourceLocations {
  const offered = readdirSync(path.join(directory, "extras"));
  const extra = (key: ExtraName, start: string): string | undefined => {
    const name = leftOut(key) ? undefined : offered.find((candidate) => candidate.startsWith(start));
    return name === undefined ? undefined : `${base}/extras/${name}`;
  };
  return {
    mirror: defineMirror(base, release, arch),
    gems: `${base}/gems`,
    extras: {
      rubygems: extra("rubygems", "rubygems-"),
      mcollective: extra("mcollective", "mcollective-"),
      "open-vm-tools": extra("open-vm-tools", "mk-open-vm-tools"),
    },
  };
}
