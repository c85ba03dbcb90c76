/**
 * Where a source has its mirror, gem server and extras: from the sources file, from a URL or folder that the user
 * named, or from the sample source's folder. It fetches nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { defineMirror, type Mirror, parseFolderLocation, parseLocation } from "../../src/fetch/index.ts";
import { isLocation } from "../settings/source-options.ts";
import { sourceKey } from "./source-lock.ts";

/** Release and architecture of the sample source. */
const sampleMirror = { release: "14.x", arch: "x86_64" } as const;

export type ExtraName = "rubygems" | "mcollective" | "open-vm-tools";

/** Locations of one source; extras are undefined where it has none. */
export interface SourceLocations {
  readonly mirror: Mirror;
  readonly gems: string;
  readonly extras: Readonly<Record<ExtraName, string | undefined>>;
}

/**
 * `base` is where the mirror is served, `folder` where it lies: a name with a version is found by looking. An extra that
 * the sources file at the absolute `file` says is `none` for the sample is left out.
 */
export async function sampleLocations(base: string, folder: string, file: string): Promise<SourceLocations> {
  const offered = readdirSync(path.join(folder, "extras"));
  const { sample } = await readSources(file);
  const extra = (key: ExtraName, start: string): string | undefined => {
    if (isRecord(sample) && sample[key] === "none") return undefined;
    const name = offered.find((candidate) => candidate.startsWith(start));
    return name === undefined ? undefined : `${base}/extras/${name}`;
  };
  return {
    mirror: defineMirror(base, sampleMirror.release, sampleMirror.arch),
    gems: `${base}/gems`,
    extras: {
      rubygems: extra("rubygems", "rubygems-"),
      mcollective: extra("mcollective", "mcollective-"),
      "open-vm-tools": extra("open-vm-tools", "mk-open-vm-tools"),
    },
  };
}

/**
 * Reads the sources file at the absolute `file`; a source that it does not name is a mirror's URL or folder with the
 * default's rest. `mirrorUri` takes the place of the source's own mirror.
 */
export async function readLocations(
  name: string,
  file: string,
  mirrorUri: string | undefined,
): Promise<SourceLocations> {
  const where = path.relative(process.cwd(), file);
  const shown = sourceKey(name);
  const fail = (message: string, hint: string): UserError =>
    new UserError(message, { code: "source-definition", where, hint });
  const known = await readSources(file);
  const definition = known[isLocation(name) ? "tinycore" : name];
  if (!isRecord(definition)) {
    const names = [...new Set([...Object.keys(known), "sample"])].join(", ");
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
  // A folder that the file names is meant from the workspace, wherever the command was given.
  const workspace = path.resolve(path.dirname(file), "..");
  const folder = (key: string): string => {
    const place = absoluteLocation(text(key), workspace);
    parseFolderLocation(place, where);
    return place;
  };
  const extra = (key: ExtraName): string | undefined => {
    const value = definition[key];
    if (typeof value !== "string" || value === "none") return undefined;
    const place = absoluteLocation(value, workspace);
    parseLocation(place, where);
    return place;
  };
  const given = mirrorUri ?? (isLocation(name) ? name : undefined);
  return {
    mirror: defineMirror(
      given === undefined ? folder("mirror") : absoluteLocation(given),
      text("release"),
      text("arch"),
      given === undefined ? where : undefined,
    ),
    gems: folder("gems"),
    extras: {
      rubygems: extra("rubygems"),
      mcollective: extra("mcollective"),
      "open-vm-tools": extra("open-vm-tools"),
    },
  };
}

/** The entries of the sources file by their names. */
async function readSources(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import("yaml");
  try {
    const sources: unknown = parse(readFileSync(file, "utf8"));
    return isRecord(sources) ? sources : {};
  } catch (cause) {
    throw new UserError(`the sources file is not YAML: ${cause instanceof Error ? cause.message : cause}`, {
      code: "source-definition",
      hint: "correct the line that the message names",
      where: path.relative(process.cwd(), file),
      cause,
    });
  }
}

/** A URL as it is; a path, which may be relative to `base` (default: where the command was given), made absolute. */
export function absoluteLocation(text: string, base: string = process.cwd()): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : path.resolve(base, text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
