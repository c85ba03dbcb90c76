/**
 * `init`: a new project that uses this program, from a template of the program's Taskfile. It knows how a project is
 * laid out, not what is in the files.
 */
import path from "node:path";
import type { ProjectTemplate, Taskfile } from "../../engine/index.ts";
import {
  didYouMean,
  shellWord,
  systemErrorCode,
  systemReason,
  UsageError,
  UserError,
} from "../../errors/index.ts";
import type { Session } from "../session.ts";
import { counted } from "../terminal/style.ts";
import { readManifest } from "./manifest.ts";
import { manifestOf, ownFiles } from "./own-files.ts";
import { linkPackage } from "./package-link.ts";
import { projectDefaults } from "./project-defaults.ts";
import { copy, filesBelow, isThere, write } from "./project-directory.ts";

/** Makes the project in the directory that is named, or in the current one. No file that is there is replaced. */
export async function initCommand(
  session: Session,
  words: readonly string[],
  packageRoot: string,
): Promise<number> {
  const { io, request, workspace } = session;
  const { taskfile } = workspace;
  if (words.length > 1) {
    throw new UsageError("`init` takes at most one directory", {
      code: "usage",
      hint: "usage: task init [directory]",
    });
  }
  const root = path.resolve(io.cwd, words[0] ?? ".");
  const template = chosenTemplate(templatesOf(taskfile, request.flavour), request.template);
  const copied = filesOf(template, packageRoot);
  const completed = refuseProject(root, packageRoot);
  const manifest = manifestOf(root, packageRoot);
  const defaults = await projectDefaults(session, root, packageRoot);
  if (typeof defaults === "number") return defaults;
  const own = ownFiles({ root, packageRoot, manifest, defaults, flavour: template.flavour });
  const names = [...own.map(({ name }) => name), ...copied.keys()].filter((name) => name !== completed);
  const kept = new Set(names.filter((name) => isThere(path.join(root, name))));
  try {
    for (const { name, text } of own)
      if (!kept.has(name)) write(path.join(root, name), text, name === completed);
    for (const [name, from] of copied) if (!kept.has(name)) copy(from, path.join(root, name));
    linkPackage(root, packageRoot);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new UserError(`the project cannot be written: ${systemReason(error)}`, {
      code: "init-unwritable",
      where: root,
      hint:
        systemErrorCode(error) === "ENOSPC"
          ? "free disk space, or name a directory elsewhere"
          : "make the directory writable for your user, or name another one",
      cause: error,
    });
  }
  const shown = path.relative(io.cwd, root);
  io.stdout.write(
    [
      `created ${counted(names.length - kept.size, "file")} in ${root}`,
      ...(completed === undefined ? [] : [`completed: ${completed}`]),
      ...(kept.size === 0 ? [] : [`kept unchanged: ${[...kept].join(", ")}`]),
      ...colleagueLines(root, packageRoot),
      "next:",
      ...(shown === "" ? [] : [`  cd ${shellWord(shown)}`]),
      "  npx task                       # choose a target",
      "  npx task package-list          # the example in tasks/package-list.ts",
      `  npx task iso --source ${template.sample ?? "sample"}   # an ISO made from this distribution's packages`,
      "",
    ].join("\n"),
  );
  return 0;
}

/** The templates of a flavour; all if none is named. Throws a `UsageError` for a flavour that has none. */
function templatesOf(
  { templates = {}, flavours = {} }: Taskfile,
  flavour: string | undefined,
): Readonly<Record<string, ProjectTemplate>> {
  if (flavour === undefined) return templates;
  const own = Object.entries(templates).filter(([name, template]) => (template.flavour ?? name) === flavour);
  if (own.length > 0) return Object.fromEntries(own);
  throw new UsageError(`there is no flavour "${flavour}"`, {
    code: "unknown-flavour",
    hint:
      didYouMean(flavour, Object.keys(flavours)) ??
      `flavours: ${Object.entries(flavours)
        .map(([name, { description }]) => `${name} (${description})`)
        .join("; ")}`,
  });
}

/** The first one unless another is named. Throws a `UsageError` for a name that is none. */
function chosenTemplate(
  templates: Readonly<Record<string, ProjectTemplate>>,
  name: string | undefined,
): ProjectTemplate {
  const [first] = Object.values(templates);
  const found = name === undefined ? first : new Map(Object.entries(templates)).get(name);
  if (found !== undefined) return found;
  const known = Object.entries(templates).map(([one, { description }]) => `${one} (${description})`);
  throw new UsageError(`there is no template "${name ?? ""}"`, {
    code: "unknown-template",
    hint: didYouMean(name ?? "", Object.keys(templates)) ?? `templates: ${known.join("; ")}`,
  });
}

/**
 * Each file of a template by its path in the project, with its absolute path in the package; a later entry replaces an
 * earlier one.
 */
function filesOf(template: ProjectTemplate, packageRoot: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(template.contents).flatMap(([to, from]) =>
      filesBelow(path.join(packageRoot, from)).map((below): [string, string] => [
        path.join(to, below),
        path.join(packageRoot, from, below),
      ]),
    ),
  );
}

/**
 * Where a project is already, nothing is added to it. A directory in which `npm install` of this package left nothing but
 * a package.json is none yet: that file is completed, and its name returned.
 */
function refuseProject(root: string, packageRoot: string): "package.json" | undefined {
  const taken = ["Taskfile.ts", "package.json"].filter((name) => isThere(path.join(root, name)));
  if (taken.length === 0) return undefined;
  const { name = "" } = readManifest(packageRoot) ?? {};
  const present = readManifest(root);
  const isInstalledHere = { ...present?.dependencies, ...present?.devDependencies }[name] !== undefined;
  if (isInstalledHere && !taken.includes("Taskfile.ts")) return "package.json";
  throw new UserError(`a project exists already; nothing was changed: ${taken.join(" and ")}`, {
    code: "init-taken",
    where: root,
    hint: "name another directory: task init DIRECTORY",
  });
}

/** What a colleague needs beside the project. */
function colleagueLines(root: string, packageRoot: string): readonly string[] {
  const { name = "" } = readManifest(packageRoot) ?? {};
  const spec = readManifest(root)?.dependencies?.[name];
  if (spec?.startsWith("file:") !== true) return [];
  return [
    `package.json takes ${name} from ${spec.slice("file:".length)}: a clone of the project needs it there`,
  ];
}
