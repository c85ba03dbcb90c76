/** Whether the dependencies of an extension have the libraries that its files ask for. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fillKernel } from "../../src/fetch/index.ts";
import { listSquashfs, printName } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import type { Made } from "./own-extensions.ts";

/**
 * A sentence for each library that neither Core nor an extension gives that this one needs, directly or not. `directories` (absolute)
 * hold the extensions of the image, with their `.dep` files.
 */
export async function describeMissingLibraries(
  $: Shell,
  made: readonly Made[],
  directories: readonly string[],
  kernelRelease: string,
): Promise<readonly string[]> {
  if (made.every(({ missing }) => missing.size === 0)) return [];
  const places = new Map<string, string>();
  for (const directory of directories)
    for (const file of await readdir(directory)) places.set(file, path.join(directory, file));
  const known = new Map<string, ReadonlySet<string>>();
  const namesIn = async (extension: string): Promise<ReadonlySet<string>> => {
    const file = places.get(extension);
    const names =
      known.get(extension) ??
      new Set(
        file === undefined
          ? []
          : (await listSquashfs($, file, extension)).map((entry) => path.posix.basename(entry.path)),
      );
    known.set(extension, names);
    return names;
  };
  const sentences: string[] = [];
  for (const { name, missing } of made) {
    if (missing.size === 0) continue;
    const given = await Promise.all((await neededBy(`${name}.tcz`, places, kernelRelease)).map(namesIn));
    for (const [library, user] of missing) {
      if (given.some((names) => names.has(library))) continue;
      sentences.push(
        `${name}.tcz: ${printName(user)} needs ${printName(library)}, which neither Core nor a dependency has: add the extension with it to the dependencies`,
      );
    }
  }
  return sentences;
}

/** What an extension needs, directly or not, by the `.dep` files. */
async function neededBy(
  name: string,
  places: ReadonlyMap<string, string>,
  kernelRelease: string,
): Promise<readonly string[]> {
  const seen = new Set([name]);
  for (const at of seen) {
    const file = places.get(`${at}.dep`);
    const words = file === undefined ? [] : (await readFile(file, "utf8")).split(/\s+/);
    for (const word of words) if (word !== "") seen.add(fillKernel(word, kernelRelease, at));
  }
  seen.delete(name);
  return [...seen];
}
