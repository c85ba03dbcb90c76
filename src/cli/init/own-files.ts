/** The files that are made for a new project, rather than copied: its Taskfile and what npm, git and editors want. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export interface OwnFile {
  /** Relative to the new project. */
  readonly name: string;
  readonly text: string;
}

/** `root` and `packageRoot` are absolute paths: the new project's, and that of the package it will use. */
export function ownFiles(root: string, packageRoot: string): readonly OwnFile[] {
  const project = projectName(root);
  const manifest = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly engines: { readonly node: string };
  };
  const { name, version, engines } = manifest;
  // A package that npm installed is asked for by version; one that is a checkout is where it is.
  const isInstalled = packageRoot.split(path.sep).includes("node_modules");
  const wanted = isInstalled ? `^${version}` : `file:${path.relative(root, packageRoot)}`;
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  return [
    {
      name: "package.json",
      text: json({
        name: project,
        version: "0.1.0",
        private: true,
        type: "module",
        engines,
        dependencies: { [name]: wanted },
      }),
    },
    {
      name: "Taskfile.ts",
      text: `/** The targets of this image. To add one, make it with task({...}) of "${name}" and put it into \`targets\`. */
import { taskfile } from "${name}";
import pipeline from "${name}/pipeline";

export default taskfile({
  ...pipeline,
  title: "${project}",
  targets: [...pipeline.targets],
});
`,
    },
    {
      name: "tsconfig.json",
      text: json({
        extends: `${name}/tsconfig.json`,
        compilerOptions: {
          typeRoots: typeRoots(root, packageRoot),
          // Unused names are no error while code is being written.
          noUnusedLocals: false,
          noUnusedParameters: false,
        },
        include: ["Taskfile.ts", "tasks"],
      }),
    },
    {
      name: ".gitignore",
      text: "node_modules/\n.buildcache/\nbuild-files/\ndev-keys/\n",
    },
  ];
}

/**
 * Folders with Node's type declarations, relative to the project: where npm installs them in the project, and where
 * they are now: npm may have put them beside the package or below it.
 */
function typeRoots(root: string, packageRoot: string): readonly string[] {
  const own = createRequire(path.join(packageRoot, "package.json"));
  const now = path.dirname(path.dirname(own.resolve("@types/node/package.json")));
  return [...new Set(["node_modules/@types", path.relative(root, now)])];
}

/** The folder's name, as far as npm takes it for a package's. */
function projectName(root: string): string {
  const name = path
    .basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? "image" : name;
}
