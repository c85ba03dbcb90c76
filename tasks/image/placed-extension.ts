/** An extension in a directory of the image, with the files that belong beside it. */
import { copyFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type ClosureItem, formatDependencies, formatMd5File, type LockLine } from "../../src/fetch/index.ts";
import { readSquashfsSuperblock } from "../../src/formats/index.ts";
import type { FetchedTimes } from "./fetched-times.ts";
import { mountDoubt } from "./mountable.ts";

/** What there is to place from. */
export interface Fetched {
  /** Copies the bytes that a lock line names to a path that does not exist. */
  readonly place: (line: LockLine | undefined, target: string) => Promise<void>;
  readonly lines: ReadonlyMap<string, LockLine>;
  /** Absolute path of the directory with the extensions that were made of packages. */
  readonly debs: string | undefined;
  /** Absolute path of the directory with the project's own; without it, these are not placed. */
  readonly own?: string;
  readonly kernelRelease: string;
  readonly note: (message: string) => void;
  readonly times: FetchedTimes;
}

/** An absolute directory, and its name in the step's times. */
export type Place = readonly [directory: string, label: string];

/**
 * Places an extension with `.md5.txt`, `.dep` and the files of these suffixes, as far as it has them, and records their times.
 */
export async function placeExtension(
  item: ClosureItem,
  fetched: Fetched,
  place: Place,
  sidecars: readonly string[],
): Promise<void> {
  const { lines, times } = fetched;
  const [directory, label] = place;
  if (item.kind === "deb") return await placeConverted(item.becomes, fetched, place, sidecars);
  if (item.node.isOwn) return await placeOwn(item, fetched, place, sidecars);
  const line = lines.get(item.name);
  if (line === undefined || "absent" in line) return;
  const target = path.join(directory, item.name);
  await fetched.place(line, target);
  const superblock = await readSquashfsSuperblock(target, `${item.name} (${line.url})`);
  const doubt = mountDoubt(item.name, superblock, fetched.kernelRelease);
  if (doubt !== undefined) fetched.note(doubt);
  if (line.md5 !== undefined) await writeFile(`${target}.md5.txt`, formatMd5File(line.md5, item.name));
  if (item.node.deps.length > 0) await writeFile(`${target}.dep`, formatDependencies(item.node.deps));
  for (const suffix of ["", ".md5.txt", ".dep"]) times.add(`${label}/${item.name}${suffix}`, line);
  for (const suffix of sidecars) {
    const sidecar = lines.get(`${item.name}${suffix}`);
    await fetched.place(sidecar, `${target}${suffix}`);
    times.add(`${label}/${item.name}${suffix}`, sidecar);
  }
}

/** An extension of the project's own: undated, with the dependencies of the item. */
async function placeOwn(
  { name, node }: Extract<ClosureItem, { readonly kind: "tcz" }>,
  { own }: Fetched,
  [directory]: Place,
  sidecars: readonly string[],
): Promise<void> {
  if (own === undefined) return;
  for (const suffix of ["", ".md5.txt", ...sidecars])
    await copyFile(path.join(own, `${name}${suffix}`), path.join(directory, `${name}${suffix}`));
  if (node.deps.length > 0)
    await writeFile(path.join(directory, `${name}.dep`), formatDependencies(node.deps));
}

/** An extension that was made of a package: all is there already, `.dep` only where it has any. */
async function placeConverted(
  name: string,
  { debs, times }: Fetched,
  [directory, label]: Place,
  sidecars: readonly string[],
): Promise<void> {
  if (debs === undefined) throw new Error(`${name} was not made`);
  const made = new Set(await readdir(debs));
  // The extension was made with the package's own time.
  const { madeAt: time } = await readSquashfsSuperblock(path.join(debs, name));
  for (const suffix of ["", ".md5.txt", ".dep", ...sidecars]) {
    const file = `${name}${suffix}`;
    if (!made.has(file)) continue;
    await copyFile(path.join(debs, file), path.join(directory, file));
    times.set(`${label}/${file}`, time);
  }
}
