/**
 * How a new project depends on this package: in the way in which the package itself was installed. A name and a version
 * alone are never written, since a registry may give them to somebody else's package.
 */
import path from "node:path";
import { readManifest, readObject } from "./manifest.ts";

/**
 * What package.json says of the package: a git address or a URL as it was given to npm, or `file:` and a path relative
 * to `root`. `packageRoot` is the package's own directory; both are absolute paths.
 */
export function dependencyOn(name: string, packageRoot: string, root: string): string {
  for (const host of installingDirectories(packageRoot)) {
    const { dependencies, devDependencies } = readManifest(host) ?? {};
    const asked = [dependencies?.[name], devDependencies?.[name], resolvedIn(host, name)];
    for (const spec of asked) {
      const kept = typeof spec === "string" ? keptSpec(spec, host, root) : undefined;
      if (kept !== undefined) return kept;
    }
  }
  return fileSpec(packageRoot, root);
}

/** The directories in whose node_modules the package lies, the nearest first; none for a checkout. */
function installingDirectories(packageRoot: string): readonly string[] {
  const parts = packageRoot.split(path.sep);
  return parts
    .flatMap((part, index) => (part === "node_modules" ? [parts.slice(0, index).join(path.sep)] : []))
    .reverse();
}

/** Where npm noted that it had the package from. */
function resolvedIn(host: string, name: string): unknown {
  const lock = readObject(path.join(host, "node_modules/.package-lock.json"));
  const packages = lock?.packages as Readonly<Record<string, { readonly resolved?: unknown }>> | undefined;
  return packages?.[`node_modules/${name}`]?.resolved;
}

/** Undefined for a version, a range or a tag, which only a registry can answer. */
function keptSpec(spec: string, host: string, root: string): string | undefined {
  if (spec.startsWith("file:")) return fileSpec(path.resolve(host, spec.slice("file:".length)), root);
  const isAddress = /^(git[+:@]|https?:|github:|gitlab:|bitbucket:)/.test(spec);
  const isGithubShorthand = /^[\w-]+\/[\w.-]+(#.*)?$/.test(spec);
  return isAddress || isGithubShorthand ? spec : undefined;
}

function fileSpec(target: string, root: string): string {
  return `file:${path.relative(root, target) || "."}`;
}
