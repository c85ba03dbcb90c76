/**
 * `init`: a new project that uses this program, from what its Taskfile says a project begins with. It knows how a
 * project is laid out, and nothing of what is in the files.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { systemErrorCode, systemReason, UsageError, UserError } from "../../errors/index.ts";
import type { Session } from "../session.ts";
import { counted } from "../terminal/style.ts";
import { type OwnFile, ownFiles } from "./own-files.ts";

/** Makes the project in the folder that is named, or in the current one. Nothing that is there is changed. */
export function initCommand(
  { io, workspace: { taskfile } }: Session,
  words: readonly string[],
  packageRoot: string,
): number {
  if (words.length > 1) {
    throw new UsageError("`init` takes at most one directory", {
      code: "usage",
      hint: "usage: task init [directory]",
    });
  }
  const root = path.resolve(io.cwd, words[0] ?? ".");
  const copied = (taskfile.template ?? []).flatMap((name) => filesBelow(packageRoot, name));
  const own = ownFiles(root, packageRoot);
  const names = [...own.map(({ name }) => name), ...copied];
  const kept = new Set(names.filter((name) => isThere(path.join(root, name))));
  refuseProject(root, kept);
  try {
    for (const file of own) if (!kept.has(file.name)) write(root, file);
    for (const name of copied) if (!kept.has(name)) copy(path.join(packageRoot, name), path.join(root, name));
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
      ...(kept.size === 0 ? [] : [`kept unchanged: ${[...kept].join(", ")}`]),
      "next:",
      ...(shown === ""
        ? []
        : [`  cd ${/^[\w./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`}`]),
      "  npx task                       # choose a target",
      "  npx task iso --source sample   # an ISO made from this distribution's packages",
      "",
    ].join("\n"),
  );
  return 0;
}

/** Paths relative to `root` of the files and links in a file or folder of it, in byte order. */
function filesBelow(root: string, name: string): readonly string[] {
  if (!lstatSync(path.join(root, name)).isDirectory()) return [name];
  return readdirSync(path.join(root, name))
    .sort()
    .flatMap((entry) => filesBelow(root, path.join(name, entry)));
}

/** Where a project is already, nothing is added to it. */
function refuseProject(root: string, present: ReadonlySet<string>): void {
  const taken = ["Taskfile.ts", "package.json"].filter((name) => present.has(name));
  if (taken.length === 0) return;
  throw new UserError(`a project exists already; nothing was changed: ${taken.join(" and ")}`, {
    code: "init-taken",
    where: root,
    hint: "name another directory: task init DIRECTORY",
  });
}

function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch (error) {
    // A file where a folder would have to be is in the way as well.
    return systemErrorCode(error) === "ENOTDIR";
  }
}

/** With those above it. Node's own way to do so never ends where a folder refuses what is new as if it were not there: /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  mkdirSync(folder);
}

function write(root: string, { name, text }: OwnFile): void {
  makeFolder(path.dirname(path.join(root, name)));
  writeFileSync(path.join(root, name), text, { flag: "wx" });
}

function copy(from: string, to: string): void {
  makeFolder(path.dirname(to));
  const status = lstatSync(from);
  if (status.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
    return;
  }
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  // The package may be installed read-only; what is copied is the user's to edit.
  chmodSync(to, (status.mode & 0o111) === 0 ? 0o644 : 0o755);
}

/** What `npm install` would do for a package in a folder of this machine, without asking anybody. */
function linkPackage(root: string, packageRoot: string): void {
  const { name, bin } = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8")) as {
    readonly name: string;
    readonly bin: Readonly<Record<string, string>>;
  };
  const modules = path.join(root, "node_modules");
  const link = (at: string, target: string): void => {
    if (isThere(at) || existsSync(at)) return;
    makeFolder(path.dirname(at));
    symlinkSync(path.relative(path.dirname(at), target), at);
  };
  link(path.join(modules, name), packageRoot);
  for (const [command, file] of Object.entries(bin))
    link(path.join(modules, ".bin", command), path.join(modules, name, file));
}
