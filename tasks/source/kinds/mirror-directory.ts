/**
 * The release and architecture of a mirror that `--source` names itself: from its path, or by looking into the directory.
 * A server cannot be looked into.
 */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../../../src/errors/index.ts";
import { parseDirectoryLocation, publicUrl } from "../../../src/fetch/index.ts";
import { shownPath } from "../../settings/shown-path.ts";
import { absoluteLocation } from "./source-name.ts";

export interface NamedMirror {
  /** A URL or an absolute path. */
  readonly base: string;
  /** Undefined where neither the path nor the directory tells. */
  readonly place: MirrorPlace | undefined;
}

interface MirrorPlace {
  /** As the directory is called: `16.x`. */
  readonly release: string;
  readonly arch: string;
}

const releaseName = /^\d{1,4}\.x$/;
const archNames: ReadonlySet<string> = new Set(["x86", "x86_64"]);

/**
 * `source` is a URL or a path, which may be relative, of a mirror or of one release and architecture in it. Throws a `UserError`
 * for a directory that is no mirror, or has several releases.
 */
export async function findMirror(source: string): Promise<NamedMirror> {
  const named = splitMirror(source, "--source");
  const location = parseDirectoryLocation(named.base, "--source");
  if (named.place !== undefined || location.kind === "remote") return named;
  return { base: named.base, place: await lookInto(location.path, source) };
}

/**
 * A URL or a path, which may be relative, with the release and architecture that it ends in (`…/4.x/x86` or `…/4.x/x86/tcz`)
 * split off. `option` is how errors name it. Nothing is looked into.
 */
export function splitMirror(text: string, option: string): NamedMirror {
  const given = absoluteLocation(text);
  const location = parseDirectoryLocation(given, option);
  const whole = location.kind === "remote" ? location.url.pathname : location.path;
  const end = /\/(\d{1,4}\.x)\/(x86|x86_64)(\/tcz)?\/*$/.exec(whole);
  if (end !== null) {
    const [, release = "", arch = ""] = end;
    const above = whole.slice(0, end.index) || "/";
    const base = location.kind === "remote" ? new URL(above, location.url).href : above;
    return { base, place: { release, arch } };
  }
  return { base: given, place: undefined };
}

async function lookInto(directory: string, source: string): Promise<MirrorPlace> {
  const where = shownPath(directory);
  const places: MirrorPlace[] = [];
  for (const release of (await namesIn(directory)).filter((name) => releaseName.test(name))) {
    for (const arch of (await namesIn(path.join(directory, release))).filter((name) => archNames.has(name))) {
      places.push({ release, arch });
    }
  }
  const [place, other] = places;
  if (place !== undefined && other === undefined) return place;
  const base = publicUrl(source).replace(/\/+$/, "");
  if (place !== undefined) {
    const choices = places.map(({ release, arch }) => `--source ${base}/${release}/${arch}`);
    throw new UserError("the directory is a mirror of several releases or architectures", {
      code: "source-layout",
      where,
      hint: `choose one: ${choices.join(", or ")}`,
    });
  }
  throw new UserError("the directory is no Tiny Core mirror: it has no RELEASE.x/ARCH, such as 16.x/x86_64", {
    code: "source-layout",
    where,
    hint: "name the directory above the releases, or give mirror, release and arch in lists/sources.yaml",
  });
}

/** Directories in a directory, sorted: releases by their numbers. */
async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new UserError(
      `the directory of the source cannot be read (${systemErrorCode(cause) ?? "unknown"})`,
      {
        code: "source-layout",
        where: shownPath(directory),
        hint: "check the path and its permissions",
        cause,
      },
    );
  });
  const found: string[] = [];
  for (const name of names) {
    const status = await stat(path.join(directory, name)).catch(() => undefined);
    if (status?.isDirectory() === true) found.push(name);
  }
  return found.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
}
