/** Sources that `lists/sources.yaml` defines: where each has its mirror, gem server and extras. Nothing is fetched here. */
import path from "node:path";
import { UserError } from "../../../src/errors/index.ts";
import { defineMirror, parseDirectoryLocation, parseLocation } from "../../../src/fetch/index.ts";
import { shownPath } from "../../settings/shown-path.ts";
import { type NamedMirror, splitMirror } from "./mirror-directory.ts";
import type { ExtraName, OpenRequest, SourceKind, SourceLocations } from "./source-kind.ts";
import { absoluteLocation, sourceKey } from "./source-name.ts";
import { isRecord, readSources } from "./sources-file.ts";

interface DefinedSource extends Pick<SourceKind, "name" | "description" | "matches" | "isListed"> {
  /** The name in the sources file under which a source is defined. */
  readonly definition: (source: string) => string;
  /** The mirror that a source itself names, instead of the defined one. */
  readonly mirror?: (source: string) => Promise<NamedMirror>;
}

/** A kind of source that the sources file defines: its pins are binding, and upstream can be asked for updates. */
export function definedSource({ definition, mirror, ...kind }: DefinedSource): SourceKind {
  return {
    ...kind,
    needs: undefined,
    lock: { file: "lists/sources.lock.json", pins: "binding", hasTimes: true },
    withoutUpstream: undefined,
    async open(request) {
      const { name, mirrorUri } = request;
      const named =
        mirrorUri === undefined ? await mirror?.(name) : splitMirror(mirrorUri, "--tcl-mirror-uri");
      const locations = await readLocations(definition(name), request, named);
      return { locations, isLocal: false, close: async () => undefined };
    },
  };
}

/** Reads what the sources file defines under a name; `named` is the mirror to take instead of the one there. */
async function readLocations(
  defined: string,
  { name, sourcesFile: file, choices }: OpenRequest,
  named: NamedMirror | undefined,
): Promise<SourceLocations> {
  const where = shownPath(file);
  const shown = sourceKey(name);
  const fail = (message: string, hint: string): UserError =>
    new UserError(message, { code: "source-definition", where, hint });
  const known = await readSources(file);
  const definition = known[defined];
  if (!isRecord(definition)) {
    const names = [...new Set([...Object.keys(known), ...choices])].join(", ");
    throw fail(
      `there is no source "${shown}"`,
      `known sources: ${names}; or name a mirror's URL or directory (./directory)`,
    );
  }
  const text = (key: string): string => {
    const value = definition[key];
    if (typeof value === "string" && value !== "") return value;
    throw fail(
      `the source "${shown}" has no "${key}"`,
      "add it: a source has mirror, release, arch, gems and extras",
    );
  };
  // A directory that the file names is meant from the workspace, wherever the command was given.
  const workspace = path.resolve(path.dirname(file), "..");
  const directory = (key: string): string => {
    const place = absoluteLocation(text(key), workspace);
    parseDirectoryLocation(place, where);
    return place;
  };
  const extra = (key: ExtraName): string | undefined => {
    const value = definition[key];
    if (typeof value !== "string" || value === "none") return undefined;
    const place = absoluteLocation(value, workspace);
    parseLocation(place, where);
    return place;
  };
  return {
    mirror: defineMirror(
      named?.base ?? directory("mirror"),
      named?.place?.release ?? text("release"),
      named?.place?.arch ?? text("arch"),
      named === undefined ? where : undefined,
    ),
    gems: directory("gems"),
    extras: {
      rubygems: extra("rubygems"),
      mcollective: extra("mcollective"),
      "open-vm-tools": extra("open-vm-tools"),
    },
  };
}
