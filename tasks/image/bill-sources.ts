/** What the project knows of an image's parts beside what is in the image. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import type { Download, UnpackedExtra } from "../../src/bom/index.ts";
import type { SourceLock } from "../../src/fetch/index.ts";
import {
  contentSize,
  digestContent,
  type FileContent,
  listTarball,
  type UnpackLimits,
} from "../../src/formats/index.ts";

/** The pinned downloads by their digests; of a local mirror, which no reader of a bill can reach, none. */
export function downloadsOf(pins: SourceLock): ReadonlyMap<string, Download> {
  const found = new Map<string, Download>();
  for (const [name, line] of pins) {
    if ("absent" in line || !/^(https?|ftp):\/\//i.test(line.url)) continue;
    found.set(line.sha256, { name, url: line.url, sha256: line.sha256 });
  }
  return found;
}

/** The tarballs in `directory` (absolute) whose files lie in the image, with those of their paths that end in no slash. */
export async function unpackedExtras(
  directory: string,
  {
    limits,
    downloads = new Map(),
  }: { readonly limits: UnpackLimits; readonly downloads?: ReadonlyMap<string, Download> },
): Promise<readonly UnpackedExtra[]> {
  const extras: UnpackedExtra[] = [];
  for (const file of (await readdir(directory)).sort()) {
    const [, , name, version] =
      /^(mk-)?(mcollective|open-vm-tools|rubygems)-?([0-9][\w.]*?)?\.(?:tar\.gz|tgz)$/.exec(file) ?? [];
    if (name === undefined) continue;
    const place = path.join(directory, file);
    const content: FileContent = { kind: "file", path: place, offset: 0, size: (await stat(place)).size };
    const sha256 = await digestContent(content);
    const url = downloads.get(sha256)?.url;
    extras.push({
      ...{ name, sha256, size: contentSize(content) },
      ...(version === undefined ? {} : { version }),
      ...(url === undefined ? {} : { url }),
      paths: new Set(await pathsInImage(name, file, place, limits)),
    });
  }
  return extras;
}

/** Where the files of a tarball lie in the image. */
async function pathsInImage(
  name: string,
  file: string,
  place: string,
  limits: UnpackLimits,
): Promise<readonly string[]> {
  if (name === "rubygems") return [`opt/${file}`];
  const paths = (await listTarball(place, { maxBytes: Number.MAX_SAFE_INTEGER, ...limits })).map((entry) =>
    entry.path.replace(/^\.\//, ""),
  );
  return name === "mcollective" ? paths.map((one) => `usr/local/tce.installed/${one}`) : paths;
}

/** What bills say made them. */
export const billTool = { name: packageJson.name, version: packageJson.version };
