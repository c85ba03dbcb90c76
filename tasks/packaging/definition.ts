/** The extensions that a project defines in `extensions/`: found by their files' names, not yet made. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../../src/errors/index.ts";
import { mendDependencies } from "./dependency-file.ts";
import { ownExtensionError } from "./own-extension-error.ts";

/** How an extension is defined: packed already, or as the files that are to be packed. */
type Form = "prebuilt" | "folder";

export interface Definition {
  /** File name; `-KERNEL` in it stands for the release of the image's kernel. */
  readonly name: string;
  readonly form: Form;
  /** File names of the extensions that it needs directly, as in its `.dep` file. */
  readonly deps: readonly string[];
  /** The file or directory that defines it, as users name it. */
  readonly where: string;
}

interface Definitions {
  /** In byte order of the names. */
  readonly definitions: readonly Definition[];
  /** What was mended, for the user. */
  readonly notes: readonly string[];
}

/** What may lie beside `NAME.tcz`, as on a mirror. */
const sidecar = /^(.+\.tcz)\.(dep|info|list|tree|md5\.txt|sha256\.txt|zsync)$/;

/**
 * Reads the definitions below the directory `root` (absolute, named `shown` in messages); `entries` is what lies in it, directories with
 * a slash.
 * @throws UserError `own-extension` for entries that are no extension, or two of one name
 */
export async function readDefinitions(
  root: string,
  entries: readonly string[],
  shown: string,
): Promise<Definitions> {
  const definitions = new Map<string, Definition>();
  const notes: string[] = [];
  const files = new Set(entries);
  for (const entry of entries) {
    const where = `${shown}/${entry.replace(/\/$/, "")}`;
    const owner = sidecar.exec(entry)?.[1];
    if (owner !== undefined && files.has(owner)) continue;
    const form = entry.endsWith("/") ? "folder" : "prebuilt";
    const name = entry.replace(/\/$/, ".tcz");
    refuseName(entry, name, owner, where);
    const same = [...definitions.values()].find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (same !== undefined)
      throw ownExtensionError(
        same.name === name
          ? `${name} is there twice, as ${same.where} and ${where}`
          : `${same.name} and ${name} differ in case only: file systems such as FAT hold one of them`,
        where,
        "remove or rename one of them",
      );
    const file = form === "folder" ? `${entry}dep` : `${entry}.dep`;
    const text = await textOf(path.join(root, file));
    const { names, notes: mended } = mendDependencies(text ?? "", name, `${shown}/${file}`);
    notes.push(...mended);
    definitions.set(name, { name, form, deps: names, where });
  }
  return { definitions: [...definitions.values()], notes };
}

function refuseName(entry: string, name: string, owner: string | undefined, where: string): void {
  if (owner !== undefined)
    throw ownExtensionError(
      `${entry} belongs to ${owner}, which is not there`,
      where,
      "rename or remove the file",
    );
  if (!entry.endsWith("/") && !entry.endsWith(".tcz"))
    throw ownExtensionError(
      `${entry} is no extension, and lies beside none`,
      where,
      "put NAME.tcz there, or a directory NAME/ with tree/",
    );
  if (entry.endsWith(".tcz/"))
    throw ownExtensionError(
      "the directory of an extension has its name without .tcz",
      where,
      `rename it to ${entry.replace(/\.tcz\/$/, "")}`,
    );
  if (!/^\w[\w+.~@%:,=-]{0,190}\.tcz$/.test(name) || name.includes(".."))
    throw ownExtensionError(
      "the name cannot be that of an extension",
      where,
      "use letters, digits, and . _ + - in it",
    );
}

/** The text of a file that may not exist. */
export async function textOf(file: string): Promise<string | undefined> {
  return await readFile(file, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
}
