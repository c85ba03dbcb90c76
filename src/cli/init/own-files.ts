/** The files that are made for a new project, rather than copied: its Taskfile and what npm, git and editors want. */
import { createRequire } from "node:module";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { dependencyOn } from "./dependency.ts";
import { jsonText, readManifest } from "./manifest.ts";
import type { ProjectDefaults } from "./project-defaults.ts";

interface OwnFile {
  /** Relative to the new project. */
  readonly name: string;
  readonly text: string;
}

interface NewProject {
  /** Absolute paths: the new project's, and that of the package it will use. */
  readonly root: string;
  readonly packageRoot: string;
  /** The content of its package.json. */
  readonly manifest: object;
  readonly defaults: ProjectDefaults;
  /** The flavour that the project keeps to. */
  readonly flavour: string | undefined;
}

export function ownFiles({ root, packageRoot, manifest, defaults, flavour }: NewProject): readonly OwnFile[] {
  const { name = "" } = readManifest(packageRoot) ?? {};
  const base = flavour === undefined ? "pipeline" : flavour;
  const kept = flavour === undefined ? "" : `\nconst ${flavour} = ofFlavour(pipeline, "${flavour}");\n`;
  return [
    { name: "package.json", text: jsonText(manifest) },
    {
      name: "Taskfile.ts",
      text: `/** The targets of this image. To add one, make it with task({...}) of "${name}" and put it into \`targets\`. */
import { ${flavour === undefined ? "" : "ofFlavour, "}taskfile } from "${name}";
import pipeline from "${name}/pipeline";
import { packageList } from "./tasks/package-list.ts";
${kept}
export default taskfile({
  ...${base},
  title: "${projectName(root)}",
${defaultsLine(defaults)}  targets: [...${base}.targets, packageList],
});
`,
    },
    {
      name: "tsconfig.json",
      text: jsonText({
        extends: `${name}/tsconfig.json`,
        compilerOptions: {
          ...(isInstalled(packageRoot) ? {} : { typeRoots: typeRoots(root, packageRoot) }),
          // Unused names are no error while code is being written.
          noUnusedLocals: false,
          noUnusedParameters: false,
        },
        include: ["Taskfile.ts", "tasks"],
      }),
    },
    {
      name: ".gitignore",
      text: "node_modules/\n.buildcache/\nbuild-files/\ndev-keys/\naccount-seed/\n",
    },
  ];
}

/**
 * The project's package.json: what is there already, as `npm install` of this package leaves it, and what it lacks.
 * Throws a `UserError` where modules of the project could not import.
 */
export function manifestOf(root: string, packageRoot: string): object {
  const { name = "", engines, devDependencies } = readManifest(packageRoot) ?? {};
  const present = readManifest(root) ?? {};
  if (present.type !== undefined && present.type !== "module") {
    throw new UserError(`package.json has "type": "${present.type}", and a Taskfile needs "module"`, {
      code: "init-module-type",
      where: path.join(root, "package.json"),
      hint: "run `npm pkg set type=module`, then this command again",
    });
  }
  const typescript = devDependencies?.typescript;
  return {
    name: projectName(root),
    version: "0.1.0",
    private: true,
    type: "module",
    engines,
    scripts: { types: "tsc --noEmit" },
    ...present,
    dependencies: { [name]: dependencyOn(name, packageRoot, root), ...present.dependencies },
    devDependencies: { ...(typescript === undefined ? {} : { typescript }), ...present.devDependencies },
  };
}

/** The Taskfile's line with the defaults; empty if there are none. */
function defaultsLine(defaults: ProjectDefaults): string {
  const entries = Object.entries(defaults).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return entries.length === 0 ? "" : `  defaults: { ${entries.join(", ")} },\n`;
}

/** Whether npm installed the package; else it is a checkout. */
export function isInstalled(packageRoot: string): boolean {
  return packageRoot.split(path.sep).includes("node_modules");
}

/** Absolute path of the package with Node's type declarations: npm may have put it beside the package or below it. */
export function nodeTypes(packageRoot: string): string {
  const own = createRequire(path.join(packageRoot, "package.json"));
  return path.dirname(own.resolve("@types/node/package.json"));
}

/** Directories with Node's type declarations, relative to the project: its own, and those of the checkout. */
function typeRoots(root: string, packageRoot: string): readonly string[] {
  return ["node_modules/@types", path.relative(root, path.dirname(nodeTypes(packageRoot)))];
}

/** The directory's name, as far as npm takes it for a package's. */
function projectName(root: string): string {
  const name = path
    .basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? "image" : name;
}
