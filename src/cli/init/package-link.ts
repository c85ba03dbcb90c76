/** The package in the new project's node_modules: what `npm install` would do, without asking anybody. */
import { existsSync, symlinkSync } from "node:fs";
import path from "node:path";
import { readManifest } from "./manifest.ts";
import { isInstalled, nodeTypes } from "./own-files.ts";
import { isThere, makeDirectory } from "./project-directory.ts";

/** Both are absolute paths. Nothing that is there is replaced. */
export function linkPackage(root: string, packageRoot: string): void {
  const { name = "", bin = {} } = readManifest(packageRoot) ?? {};
  const modules = path.join(root, "node_modules");
  const link = (at: string, target: string): void => {
    if (isThere(at) || existsSync(at)) return;
    makeDirectory(path.dirname(at));
    symlinkSync(path.relative(path.dirname(at), target), at);
  };
  link(path.join(modules, name), packageRoot);
  if (isInstalled(packageRoot)) link(path.join(modules, "@types/node"), nodeTypes(packageRoot));
  for (const [command, file] of Object.entries(bin))
    link(path.join(modules, ".bin", command), path.join(modules, name, file));
}
