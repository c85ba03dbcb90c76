/** Where the packages go that are taken along with a listed one: to the same place, before it. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { type ClosureItem, parseDependencies } from "../../src/fetch/index.ts";

/** Dependencies of each extension that was made of a package, by name; none where `directory` (absolute) is undefined. */
export async function readConverted(
  directory: string | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const made = new Map<string, readonly string[]>();
  if (directory === undefined) return made;
  const names = new Set(await readdir(directory));
  for (const name of names) {
    if (!name.endsWith(".tcz")) continue;
    const file = `${name}.dep`;
    const text = names.has(file) ? await readFile(path.join(directory, file), "utf8") : "";
    made.set(name, parseDependencies(text, file));
  }
  return made;
}

/**
 * The items with the dependencies of converted packages before these, each once. `converted` gives the dependencies by extension,
 * `present` the names of extensions that are at hand elsewhere; an extension of the mirror takes the place of a package's.
 */
export function withDependencies(
  items: readonly ClosureItem[],
  converted: ReadonlyMap<string, readonly string[]>,
  present: ReadonlySet<string> = new Set(),
): readonly ClosureItem[] {
  const placed = new Set([...present, ...items.map(extensionOf)]);
  const all: ClosureItem[] = [];
  const addDependencies = (of: string, where: string): void => {
    for (const name of converted.get(of) ?? []) {
      if (placed.has(name) || !converted.has(name)) continue;
      placed.add(name);
      addDependencies(name, where);
      all.push({ kind: "deb", name: name.replace(/\.tcz$/, ".deb"), becomes: name, where });
    }
  };
  for (const item of items) {
    if (item.kind === "deb") addDependencies(item.becomes, item.where);
    all.push(item);
  }
  return all;
}

/** The extension that an item is, or becomes. */
export function extensionOf(item: ClosureItem): string {
  return item.kind === "deb" ? item.becomes : item.name;
}
