/** Making the extensions that a project defines, each once for the same content. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fillKernel, type OwnExtension } from "../../src/fetch/index.ts";
import type { FileTree } from "../../src/formats/index.ts";
import { mapParallel } from "../../src/host/index.ts";
import type { ExtensionFacts } from "../debian/extension-metadata.ts";
import { undated } from "../settings/undated.ts";
import { type Definition, textOf } from "./definition.ts";
import { readExtensionDirectory } from "./directory-extension.ts";
import { packTree, placeMade } from "./made-extension.ts";
import { inspectPrebuilt } from "./prebuilt-extension.ts";
import { type Recipe, readRecipe } from "./recipe.ts";
import type { RecipeContext } from "./recipe-build.ts";
import { makeParts, type RecipeParts } from "./recipe-extension.ts";
import { mainPart } from "./split.ts";
import { checkTree } from "./tree-rules.ts";

/** The base of the image, as far as extensions depend on it. */
export interface CoreBase {
  readonly kernelRelease: string;
  /** e_machine of its programs. */
  readonly machine: number;
  /** Paths of Core's initrd. */
  readonly listing: FileTree;
  /** Its files with contents. */
  readonly read: () => Promise<FileTree>;
  /** What they are known by. */
  readonly digest: () => Promise<string>;
}

/** An extension that a build needs; the project's own are made first. */
interface SuppliedExtension {
  /** File name, with the kernel's release. */
  readonly name: string;
  /** Absolute path; undefined for one of the project's own. */
  readonly file: string | undefined;
}

/** Brings the extensions of these file names and all that they need, dependencies first; `where` says in messages who wants them. */
type Supply = (names: readonly string[], where: string) => Promise<readonly SuppliedExtension[]>;

interface OwnExtensions {
  /** Absolute path of `extensions/`, and its name in messages. */
  readonly root: string;
  readonly shown: string;
  readonly definitions: readonly Definition[];
  readonly core: CoreBase;
}

/** An extension of the mirror. */
interface Upstream {
  readonly file: string;
  readonly deps: readonly string[];
}

/** A recipe's parts, and the extension that it packed again. */
interface MadeParts extends RecipeParts {
  readonly recipe: Recipe;
  readonly upstream: Upstream | undefined;
}

export interface MakingContext extends RecipeContext {
  readonly note: (message: string) => void;
  readonly supply: Supply;
  /** Brings the mirror's extension of this name, whatever the project has: its absolute path, and what it needs directly. */
  readonly upstream: (name: string, where: string) => Promise<Upstream>;
}

/** An extension that was made. */
export interface Made extends ExtensionFacts {
  /** Libraries that it asks for and neither it nor Core has, each with the first file that asks. */
  readonly missing: ReadonlyMap<string, string>;
}

/** The definitions as `loadExtensions` takes them, by file name with the kernel's release filled in. */
export function ownByName(
  definitions: readonly Definition[],
  kernelRelease: string,
): ReadonlyMap<string, OwnExtension> {
  return new Map(
    definitions.map(({ name, deps, where, like }) => [
      fillKernel(name, kernelRelease, where),
      { deps, where, ...(like === undefined ? {} : { like: fillKernel(like, kernelRelease, where) }) },
    ]),
  );
}

/**
 * Makes the extensions of these file names (with the kernel's release), with what stands beside them, in the directory `to` (absolute).
 * What only their builds need is made elsewhere.
 * @throws UserError `own-extension`, `owners`, `recipe`, `build-namespace`
 */
export async function makeOwnExtensions(
  wanted: readonly string[],
  own: OwnExtensions,
  to: string,
  context: MakingContext,
): Promise<readonly Made[]> {
  const maker = new Maker(own, to, new Set(wanted), context);
  return await mapParallel(wanted, 2, async (name) => (await maker.make(name)).made);
}

/** Makes each extension once, however many others need it. */
class Maker {
  readonly #own: OwnExtensions;
  readonly #to: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #context: MakingContext;
  readonly #defined: ReadonlyMap<string, Definition>;
  readonly #made = new Map<string, Promise<{ readonly made: Made; readonly file: string }>>();
  readonly #parts = new Map<string, Promise<MadeParts>>();

  constructor(own: OwnExtensions, to: string, wanted: ReadonlySet<string>, context: MakingContext) {
    this.#own = own;
    this.#to = to;
    this.#wanted = wanted;
    this.#context = context;
    const release = own.core.kernelRelease;
    this.#defined = new Map(own.definitions.map((one) => [fillKernel(one.name, release, one.where), one]));
  }

  /** Makes one, with all that its build needs. */
  make(name: string): Promise<{ readonly made: Made; readonly file: string }> {
    const known = this.#made.get(name) ?? this.#makeNew(name);
    this.#made.set(name, known);
    return known;
  }

  async #makeNew(name: string): Promise<{ readonly made: Made; readonly file: string }> {
    const definition = this.#defined.get(name);
    if (definition === undefined) throw new Error(`${name} is not defined`);
    const { $, scratch, note } = this.#context;
    const { form, name: defined, where: shown, part = mainPart } = definition;
    const to = this.#wanted.has(name) ? this.#to : path.join(scratch, "needed");
    await mkdir(to, { recursive: true });
    const { root, core } = this.#own;
    const { kernelRelease } = core;
    const target = path.join(to, name);
    if (form === "prebuilt") {
      const file = path.join(root, defined);
      for (const sentence of await inspectPrebuilt($, { file, shown, name, kernelRelease })) note(sentence);
      const description = { name, version: "---", deps: definition.deps, info: await textOf(`${file}.info`) };
      return { made: { ...(await placeMade(file, description, to, $)), missing: new Map() }, file: target };
    }
    const directory = path.join(root, path.basename(shown));
    const recipe = form === "recipe" ? await this.#partsOf(shown, directory) : undefined;
    const tree =
      recipe === undefined ? await this.#directoryTree(name, definition, directory) : recipe.parts.get(part);
    if (tree === undefined) throw new Error(`${name} has no part ${part}`);
    const around = { name, shown: `${shown}/tree`, kernelRelease, machine: core.machine, core: core.listing };
    const report = await checkTree(tree, around);
    for (const sentence of report.notes) note(sentence);
    const info = part === mainPart ? await textOf(path.join(directory, "info")) : undefined;
    const file = await packTree(name, tree, this.#context);
    const deps = definition.like === undefined ? definition.deps : (recipe?.upstream?.deps ?? []);
    const description = { name, version: recipe?.recipe.version ?? "---", deps, info };
    return {
      made: { ...(await placeMade(file, description, to, $)), missing: report.missing },
      file: target,
    };
  }

  async #directoryTree(name: string, { where: shown }: Definition, directory: string): Promise<FileTree> {
    const { core } = this.#own;
    const { tree, notes } = await readExtensionDirectory({
      directory,
      shown,
      name,
      mtime: undated,
      core: core.read,
    });
    for (const sentence of notes) this.#context.note(sentence);
    return tree;
  }

  /** The parts of a recipe, which is built once for all of them. */
  #partsOf(shown: string, directory: string): Promise<MadeParts> {
    const known = this.#parts.get(shown) ?? this.#makeParts(shown, directory);
    this.#parts.set(shown, known);
    return known;
  }

  async #makeParts(shown: string, directory: string): Promise<MadeParts> {
    const { supply, note } = this.#context;
    const { core } = this.#own;
    const where = `${shown}/recipe.yaml`;
    const recipe = await readRecipe((await textOf(path.join(directory, "recipe.yaml"))) ?? "", where);
    const needs = new Map<string, string>();
    for (const { name, file } of recipe.buildNeeds.length === 0 ? [] : await supply(recipe.buildNeeds, where))
      needs.set(name, file ?? (await this.make(name)).file);
    const fill = (name: string): string => fillKernel(name, core.kernelRelease, where);
    const upstream =
      recipe.from === undefined ? undefined : await this.#context.upstream(fill(recipe.from), where);
    const request = {
      recipe,
      home: directory,
      shown,
      needs,
      core,
      name: fill(`${path.basename(shown)}.tcz`),
    };
    const parts = await makeParts({ ...request, upstream: upstream?.file }, this.#context);
    for (const sentence of parts.notes) note(sentence);
    return { ...parts, recipe, upstream };
  }
}
