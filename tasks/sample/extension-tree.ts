/**
 * An unpacked package's files on their way into an extension: programs go to `usr/local`, libraries stay where Debian
 * has them (so that the dynamic linker and built-in paths find them), documents and services are left out.
 */
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join, posix } from "node:path";
import { systemErrorCode, UserError } from "../../src/errors/index.ts";
import { type ModePolicy, rootOwned } from "../../src/formats/index.ts";
import { droppedPaths, interpreters } from "./extension-catalogue.ts";

const installedDirectory = "usr/local/tce.installed";

/** Everything is root's, but for the scripts that run on loading and their directory: those are the staff's too (gid 50). */
export const extensionPolicy: ModePolicy = (path, entry) => {
  const isShared = path === installedDirectory || path.startsWith(`${installedDirectory}/`);
  return { ...rootOwned(path, entry), ...(isShared ? { mode: 0o775, gid: 50 } : {}) };
};

/** Where a path of a package lies in the extension; both relative to the root. */
function relocate(path: string): string {
  return path.replace(/^(usr\/)?(bin|sbin)(\/|$)/, "usr/local/$2$3");
}

/** Whether no extension carries this path of a package. */
export function isDropped(path: string): boolean {
  return droppedPaths.some((pattern) => pattern.test(path));
}

/**
 * A symbolic link's target after both ends were relocated. A relative target stays relative.
 * `path` is the link's own place in the package.
 */
export function relocateTarget(path: string, target: string): string {
  if (target.startsWith("/")) return `/${relocate(posix.normalize(target).slice(1))}`;
  const meant = posix.join(posix.dirname(path), target);
  return posix.relative(posix.dirname(relocate(path)), relocate(meant));
}

/**
 * Moves the files of `from` (an unpacked package) into `to` (the extension's directory), both absolute.
 * Of two entries with one path after relocation the first one stays.
 * Throws `UserError` `unexpected-file` for anything but files, directories and symbolic links.
 */
export async function movePackage(from: string, to: string): Promise<void> {
  for (const path of await walk(from, "empty", isDropped)) {
    const source = join(from, path);
    const status = await lstat(source);
    const target = join(to, relocate(path));
    if (status.isDirectory()) {
      await makeDirectory(to, relocate(path));
      continue;
    }
    await makeDirectory(to, posix.dirname(relocate(path)));
    if (await exists(target)) continue;
    if (status.isSymbolicLink()) {
      const pointsTo = relocateTarget(path, await readlink(source));
      // `usr/bin/x -> /bin/x` would point to itself now: the real file comes in its place.
      if (posix.resolve("/", posix.dirname(relocate(path)), pointsTo) !== `/${relocate(path)}`) {
        await symlink(pointsTo, target);
      }
    } else if (status.isFile()) {
      await rename(source, target);
    } else {
      throw new UserError("a package contains an entry that is not a file, directory or symlink", {
        code: "unexpected-file",
        hint: "remove the package from the sample, or build on another machine",
        where: path,
      });
    }
    if (interpreters.test(path)) await linkBack(path, to);
  }
}

/** Makes a directory below `root` with its parents; a link of a package that stands for one of them is never followed. */
async function makeDirectory(root: string, path: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== ".");
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const below = parts.slice(0, depth).join("/");
    const status = await lstat(join(root, below)).catch(() => undefined);
    if (status?.isDirectory() === true) continue;
    if (status === undefined) await mkdir(join(root, below));
    else {
      throw new UserError(`a package has files below ${below}, which is not a directory in another package`, {
        code: "unsafe-link",
        where: path,
        hint: "remove the package from the sample, or build on another machine",
      });
    }
  }
}

/** Writes a text file of our own; directories are made. Mode 0755 in directories of programs and scripts, 0644 elsewhere. */
export async function addText(root: string, path: string, text: string): Promise<void> {
  const target = join(root, path);
  await makeDirectory(root, posix.dirname(path));
  await rm(target, { force: true });
  await writeFile(target, text, { flag: "wx" });
  await chmod(target, /(^|\/)(s?bin|init\.d|tce\.installed)\/[^/]+$/.test(path) ? 0o755 : 0o644);
}

/**
 * Gives everything under `root` a mode and a time that depend on nothing but the file: directories and executables
 * 0755, other files 0644, no set-id bits (everything in the image that needs root's rights runs as root). Links
 * that lead out of the extension become absolute.
 * Returns the paths of files and links, sorted by byte order.
 */
export async function settleTree(root: string, epoch: number): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const path of await walk(root, "all", () => false)) {
    const status = await lstat(join(root, path));
    if (!status.isDirectory()) paths.push(path);
    if (status.isSymbolicLink()) {
      await anchorLink(root, path);
    } else {
      const executable = status.isDirectory() || (status.mode & 0o111) !== 0;
      await chmod(join(root, path), executable ? 0o755 : 0o644);
    }
    await lutimes(join(root, path), epoch, epoch);
  }
  await chmod(root, 0o755);
  await lutimes(root, epoch, epoch);
  return paths.sort(byBytes);
}

/** Adds the script that runs as root each time the extension is loaded. */
export async function addInstalledScript(root: string, extension: string, text: string): Promise<void> {
  await addText(root, `${installedDirectory}/${extension}`, `#!/bin/sh\n${text}`);
}

/**
 * Makes a relative link that leads to another extension absolute: where extensions are mounted and linked, a
 * relative one would be followed inside its own mount.
 */
async function anchorLink(root: string, path: string): Promise<void> {
  const target = await readlink(join(root, path));
  const meant = posix.join(posix.dirname(path), target);
  if (target.startsWith("/") || meant.startsWith("..") || (await exists(join(root, meant)))) return;
  await unlink(join(root, path));
  await symlink(`/${meant}`, join(root, path));
}

async function linkBack(path: string, to: string): Promise<void> {
  const back = join(to, path);
  await makeDirectory(to, posix.dirname(path));
  if (!(await exists(back))) await symlink(posix.relative(posix.dirname(path), relocate(path)), back);
}

/** Paths under `root`, parents first; what `skips` names is left out with all that is in it. */
async function walk(
  root: string,
  directories: "all" | "empty",
  skips: (path: string) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  async function visit(directory: string): Promise<void> {
    const entries = await readdir(join(root, directory), { withFileTypes: true });
    if (directory !== "" && (directories === "all" || entries.length === 0)) found.push(directory);
    for (const entry of entries.sort((a, b) => byBytes(a.name, b.name))) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (skips(path)) continue;
      if (entry.isDirectory()) await visit(path);
      else found.push(path);
    }
  }
  await visit("");
  return found;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
