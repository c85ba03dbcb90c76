/** The extensions that a project defines in `extensions/`: found by their files' names, not yet made. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../../src/errors/index.ts";
import { correctDependencies } from "./dependency-file.ts";
import { ownExtensionError } from "./own-extension-error.ts";
import { readRecipe } from "./recipe.ts";
import { mainPart, partsOf } from "./split.ts";

/** How an extension is defined: packed already, as the files that are to be packed, or by what makes these. */
type Form = "prebuilt" | "directory" | "recipe";

export interface Definition {
  /** File name; `-KERNEL` in it stands for the release of the image's kernel. */
  readonly name: string;
  readonly form: Form;
  /** File names of the extensions that it needs directly, as in its `.dep` file. */
  readonly deps: readonly string[];
  /** The file or directory that defines it, as users name it. */
  readonly where: string;
  /** Of a recipe: the part that it is. */
  readonly part?: string;
  /** Of a recipe that packs an extension again and does not say what it needs: the extension whose dependencies it has. */
  readonly like?: string;
  /** Of a recipe: the extensions that its build needs, those of its own list. */
  readonly buildNeeds?: readonly string[];
}

interface Definitions {
  /** In byte order of the names. */
  readonly definitions: readonly Definition[];
  /** what was corrected, for the user. */
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
    const name = entry.replace(/\/$/, ".tcz");
    refuseName(entry, name, owner, where);
    const text = entry.endsWith("/") ? await textOf(path.join(root, entry, "recipe.yaml")) : undefined;
    const found = text === undefined ? await ofFiles(root, entry, shown) : await ofRecipe(text, name, where);
    notes.push(...found.notes);
    for (const definition of found.definitions) {
      refuseSame(definition, definitions.values());
      definitions.set(definition.name, definition);
    }
  }
  refuseCircles(definitions);
  return { definitions: [...definitions.values()], notes };
}

/** Refuses recipes that wait for one another: what a build needs has to be there before, with all that it needs itself. */
function refuseCircles(definitions: ReadonlyMap<string, Definition>): void {
  const waitsFor = ({ buildNeeds = [] }: Definition): ReadonlySet<Definition> => {
    const found = new Set(buildNeeds.flatMap((name) => definitions.get(name) ?? []));
    for (const { deps } of found) for (const dep of deps) found.add(definitions.get(dep) ?? emptyDefinition);
    return found;
  };
  const done = new Set<string>();
  const visit = (definition: Definition, above: readonly string[]): void => {
    const { where } = definition;
    if (above.includes(where))
      throw ownExtensionError(
        `the builds of recipes need one another: ${[...above.slice(above.indexOf(where)), where].join(" → ")}`,
        `${where}/recipe.yaml`,
        "remove one of them from build-needs",
      );
    if (done.has(definition.name)) return;
    for (const next of waitsFor(definition)) visit(next, [...above, where]);
    done.add(definition.name);
  };
  for (const definition of definitions.values()) visit(definition, []);
}

/** Stands for an extension of the mirror. */
const emptyDefinition: Definition = { name: "", form: "prebuilt", deps: [], where: "" };

/** The extension of a file, or of a directory with `tree/`. */
async function ofFiles(root: string, entry: string, shown: string): Promise<Definitions> {
  const isDirectory = entry.endsWith("/");
  const name = entry.replace(/\/$/, ".tcz");
  const file = isDirectory ? `${entry}dep` : `${entry}.dep`;
  const text = await textOf(path.join(root, file));
  const { names: deps, notes } = correctDependencies(text ?? "", name, `${shown}/${file}`);
  const where = `${shown}/${entry.replace(/\/$/, "")}`;
  return { definitions: [{ name, form: isDirectory ? "directory" : "prebuilt", deps, where }], notes };
}

/** The extensions of a recipe: the part `main` has its name, each other one that and its own. */
async function ofRecipe(text: string, name: string, where: string): Promise<Definitions> {
  const recipe = await readRecipe(text, `${where}/recipe.yaml`);
  const { names, notes } = correctDependencies((recipe.needs ?? []).join("\n"), name, `${where}/recipe.yaml`);
  const like = recipe.needs === undefined && recipe.from !== undefined ? { like: recipe.from } : {};
  const definitions = partsOf(recipe).map((part): Definition => {
    const { buildNeeds } = recipe;
    const common = { name: partName(name, part), form: "recipe", where, part, buildNeeds } as const;
    if (part === mainPart) return { ...common, ...like, deps: names };
    // Documents are read without the program.
    return { ...common, deps: part === "doc" ? [] : [name] };
  });
  return { definitions, notes };
}

/** `hello-dev.tcz` of `hello.tcz`, and `hello-dev-KERNEL.tcz` of `hello-KERNEL.tcz`. */
function partName(name: string, part: string): string {
  return part === mainPart ? name : name.replace(/(-KERNEL)?\.tcz$/, (end) => `-${part}${end}`);
}

function refuseSame({ name, where }: Definition, others: Iterable<Definition>): void {
  const same = [...others].find((other) => other.name.toLowerCase() === name.toLowerCase());
  if (same === undefined) return;
  throw ownExtensionError(
    same.name === name
      ? `${name} is there twice, as ${same.where} and ${where}`
      : `${same.name} and ${name} differ in case only: file systems such as FAT hold one of them`,
    where,
    "remove or rename one of them",
  );
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
