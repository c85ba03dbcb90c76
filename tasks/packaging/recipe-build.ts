/** A recipe built: its steps run in a root of their own, and what they install taken as a tree. */

import { cp, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import {
  type FileTree,
  noLimits,
  readSquashfsTree,
  treeFromDirectory,
  treeFromTarball,
  writeTarball,
} from "../../src/formats/index.ts";
import { undated } from "../settings/undated.ts";
import { type BuildVariables, buildPaths, openBuildRoot, type RunInRoot } from "./build-root.ts";
import { digestOf, type PackingContext } from "./made-extension.ts";
import type { CoreBase } from "./own-extensions.ts";
import { type Recipe, type StepName, stepNames } from "./recipe.ts";
import { obtainSource, type SourceContext } from "./recipe-source.ts";

export interface RecipeRequest {
  readonly recipe: Recipe;
  /** Absolute path of the extension's directory, and its name in messages. */
  readonly home: string;
  readonly shown: string;
  /** The extensions that the build needs by file name, dependencies first, with absolute paths. */
  readonly needs: ReadonlyMap<string, string>;
  readonly core: CoreBase;
}

export type RecipeContext = PackingContext &
  Pick<SourceContext, "download"> & { readonly log: (line: string) => void };

/** What a step does where the recipe says nothing. */
const usualSteps: Readonly<Partial<Record<StepName, string>>> = {
  configure: "[ ! -x configure ] || ./configure --prefix=/usr/local\n",
  make: "make\n",
  install: 'make install DESTDIR="$DESTDIR"\n',
};

/** Takes the symbols out of programs and libraries; other files are no concern of the program's. */
const stripFiles = `if command -v strip >/dev/null; then
  find "$DESTDIR" -type f | while read -r file; do
    case $file in
    *.ko | *.a | *.o) strip --strip-debug "$file" 2>/dev/null || true ;;
    *) strip --strip-unneeded "$file" 2>/dev/null || true ;;
    esac
  done
fi
`;

/**
 * What the recipe installs, as a tree relative to the image's root; set-id bits are in its modes, and everything is root's. Built once for
 * the same recipe, source and needs.
 * @throws UserError `recipe`, `recipe-step`, `build-namespace`
 */
export async function buildRecipe(request: RecipeRequest, context: RecipeContext): Promise<FileTree> {
  const { recipe, home, shown, needs, core } = request;
  const source = await obtainSource(recipe, home, shown, context);
  const patches: string[] = [];
  for (const name of recipe.patches) {
    const digest = await digestOf(path.join(home, name), "sha256").catch(() => undefined);
    if (digest === undefined)
      throw recipe.error(["patches"], `there is no ${name} in the extension's directory`, "correct the name");
    patches.push(`${name} ${digest}`);
  }
  const contents: string[] = [];
  for (const [name, file] of needs) contents.push(`${name} ${await digestOf(file, "sha256")}`);
  const { version, steps, strip, network } = recipe;
  const key = [
    ...["recipe", JSON.stringify({ version, steps, strip, network }), source.digest],
    ...[core.kernelRelease, await core.digest(), ...patches, "needs", ...contents],
  ];
  const built = await context.memo(key, async (file) => {
    const root = `${file}.root`;
    try {
      const tree = await runSteps(root, { ...request, place: source.place }, context);
      await writeTarball(tree, file, { level: 1 });
    } finally {
      await context.$`chmod -R u+rwX ${root}`.nothrow();
      await context.$`rm -rf ${root}`;
    }
  });
  const spool = path.join(context.scratch, `${path.basename(built)}.tree`);
  const tree = await treeFromTarball(built, spool, { ...noLimits, links: "image", label: shown });
  tree.delete(".");
  return tree;
}

type StepsRequest = RecipeRequest & { readonly place: (directory: string) => Promise<void> };

async function runSteps(
  root: string,
  { recipe, home, shown, needs, core, place }: StepsRequest,
  context: RecipeContext,
): Promise<FileTree> {
  const extensions = new Map<string, FileTree>();
  for (const [name, file] of needs)
    extensions.set(
      name,
      await readSquashfsTree({ path: file, offset: 0, size: (await stat(file)).size }, { label: name }),
    );
  const run = await openBuildRoot(context.$, root, {
    ...{ core: await core.read(), extensions, kernelRelease: core.kernelRelease },
    ...{ isNarrow: core.machine === 3, network: recipe.network },
  });
  await place(path.join(root, buildPaths.source));
  for (const [index, name] of recipe.patches.entries())
    await cp(path.join(home, name), path.join(root, buildPaths.patches, `${index}`));
  const variables: BuildVariables = {
    VERSION: recipe.version,
    MAKEFLAGS: `-j${availableParallelism()}`,
    CFLAGS: `-O2 -ffile-prefix-map=/${buildPaths.source}=.`,
    CXXFLAGS: `-O2 -ffile-prefix-map=/${buildPaths.source}=.`,
  };
  const step = (what: string, place: readonly string[], text: string, within: string): Promise<void> =>
    runStep(run, recipe, { what, place, text, within, variables });
  // Checkouts have the time at which they were made.
  if (recipe.source?.kind === "path")
    await run(`find . -exec touch -h -d @${undated} {} +\n`, buildPaths.source);
  for (const [index, name] of recipe.patches.entries())
    await step(`the patch ${name}`, ["patches"], patchStep(index), buildPaths.source);
  for (const name of stepNames) {
    const text = recipe.steps[name] ?? usualSteps[name];
    if (text === undefined) continue;
    context.log(`${shown}: ${name}`);
    const within = name === "after" ? buildPaths.destination : buildPaths.source;
    await step(`the step ${name}`, ["steps", name], text, within);
  }
  if (recipe.strip) await run(stripFiles, "build", variables);
  const installed = path.join(root, buildPaths.destination);
  return await treeFromDirectory(installed, {
    mtime: undated,
    policy: (_, { type, diskMode }) => ({
      ...{ uid: 0, gid: 0 },
      mode: type === "symlink" ? 0o777 : type === "directory" ? diskMode & 0o1777 : diskMode & 0o7777,
    }),
  });
}

/** Applies a patch whose paths begin with `a/`, or with none. */
function patchStep(index: number): string {
  const file = `/${buildPaths.patches}/${index}`;
  return `if patch -p1 --dry-run <${file} >/dev/null 2>&1; then patch -p1 <${file}; else patch -p0 <${file}; fi\n`;
}

interface StepRequest {
  /** As messages call it. */
  readonly what: string;
  /** Where it stands in the recipe. */
  readonly place: readonly string[];
  readonly text: string;
  /** Directory, relative to the root. */
  readonly within: string;
  readonly variables: BuildVariables;
}

/** Lines of a failed step's output that its error shows. */
const shownLines = 20;

async function runStep(
  run: RunInRoot,
  { error }: Recipe,
  { what, place, text, within, variables }: StepRequest,
): Promise<void> {
  try {
    await run(text, within, variables);
  } catch (cause) {
    if (typeof cause !== "object" || cause === null || !("exitCode" in cause) || cause.exitCode === null)
      throw cause;
    const said = "stdall" in cause ? `${cause.stdall}`.trimEnd().split("\n").slice(-shownLines) : [];
    const last = said.map((line) => `\n    ${line}`).join("");
    throw error(
      place,
      `${what} failed with status ${cause.exitCode}${last === "" ? "" : `; it said last:${last}`}`,
      "correct the step, or add what it misses to build-needs",
    );
  }
}
