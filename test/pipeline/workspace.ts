/**
 * A workspace of the project's own for the tests: a copy of the checkout in which builds may happen, kept between runs so
 * that only what changed is built again. Its version and its time are fixed.
 */
import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { claim } from "./workspace-claim.ts";

usesPrograms("git");

/** Absolute path of the checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The version that git gives in the workspace, and the time of everything that is built in it. */
export const version = "0.9.3";
export const epoch = 1_600_000_000;

export interface TaskResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TaskOptions {
  /** Directory in which the command is given; the workspace's root unless said otherwise. */
  readonly cwd?: string;
  /** Instead of the variables that the tests pass on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Such as "077". */
  readonly umask?: string;
  /** Run as a user without rights, where the tests run as root; the workspace must be that user's. */
  readonly plainUser?: boolean;
}

export interface Workspace {
  /** Absolute; has a space in it. */
  readonly root: string;
  readonly $: Shell;
  /** Absolute path of a file of the workspace. */
  path(name: string): string;
  /** Runs the project's own command, whatever its exit status. */
  task(args: readonly string[], options?: TaskOptions): Promise<TaskResult>;
  /** As `task`, but throws with everything that was printed unless it succeeds. */
  build(args: readonly string[], options?: TaskOptions): Promise<TaskResult>;
}

/** Variables of every command: no proxy, no configuration of the user who runs the tests. */
export function commandEnvironment(
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    PATH: [process.env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(":"),
    HOME: process.env.HOME ?? "/",
    LANG: "C",
    GIT_CONFIG_GLOBAL: "/dev/null",
    // As small as it gets takes minutes, and is the business of one test.
    MK_BUNDLE_COMPRESS: "fast",
    ...more,
  };
}

/**
 * The lasting workspace, brought up to date with the checkout; files that did not change are not touched. Each of the processes
 * that run tests side by side has one of its own.
 */
export async function openWorkspace(): Promise<Workspace> {
  const directory = path.join(checkout, ".buildcache");
  await mkdir(directory, { recursive: true });
  for (let number = 1; ; number += 1) {
    const root = path.join(directory, number === 1 ? "test workspace" : `test workspace ${number}`);
    // Vitest's numbers of workers (4.1) are not unique: when it goes on to another project, it frees one that is in use.
    if (claim(`${root}.claim`)) return await settle(root);
  }
}

/** A workspace without anything built, in a new directory below `parent`. */
export async function makeWorkspace(parent: string, name: string): Promise<Workspace> {
  return await settle(path.join(parent, name));
}

/** A copy of a workspace, all that is built and cached included, in another directory. */
export async function copyWorkspace(from: Workspace, root: string): Promise<Workspace> {
  await mkdir(path.dirname(root), { recursive: true });
  await cp(from.root, root, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => path.relative(from.root, source) !== path.join(".buildcache", "compiled"),
  });
  return await workspaceAt(root);
}

/** The user id of Debian's nobody, which owns nothing. */
export const plainUser = 65534;

/** The beginning of a command line that gives up root's rights; empty where there are none. */
export function asPlainUser(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  return ["setpriv", `--reuid=${plainUser}`, `--regid=${plainUser}`, "--clear-groups"];
}

/** Gives a directory to the plain user, where the tests run as root. */
export async function giveToPlainUser($: Shell, directory: string): Promise<void> {
  if (process.getuid?.() === 0) await $`chown -R ${`${plainUser}:${plainUser}`} ${directory}`;
}

/** A temporary directory with a space in its name. */
export async function makeDirectory(what: string): Promise<string> {
  return await realpath(await mkdtemp(path.join(tmpdir(), `razor mk ${what} `)));
}

/** Removes a directory, also when some of its directories may not be written to. */
export async function removeDirectory(directory: string): Promise<void> {
  if (directory === "") return;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await chmod(path.join(entry.parentPath, entry.name), 0o700).catch(() => {});
  }
  await rm(directory, { recursive: true, force: true });
}

export async function sha256(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

async function settle(root: string): Promise<Workspace> {
  await mkdir(root, { recursive: true });
  const workspace = await workspaceAt(root);
  const { $ } = workspace;
  const listed = await $({ cwd: checkout })`git ls-files -z --cached --others --exclude-standard`;
  const names = new Set(listed.stdout.split("\0").filter(isBuiltFrom));
  for (const name of names) await refresh(path.join(checkout, name), path.join(root, name));
  await installModules(root);
  await commit($, root, names);
  return workspace;
}

/** Tests and documents make no difference to what is built. */
function isBuiltFrom(name: string): boolean {
  return name !== "" && !/^(test|docs|bench|dev-keys)\//.test(name);
}

async function refresh(from: string, to: string): Promise<void> {
  // A file that git still lists may have been deleted in the checkout.
  const status = await lstat(from).catch(() => undefined);
  if (status === undefined) return await rm(to, { force: true });
  await mkdir(path.dirname(to), { recursive: true });
  const there = await lstat(to).catch(() => undefined);
  if (status.isSymbolicLink()) {
    const target = await readlink(from);
    if (there?.isSymbolicLink() && (await readlink(to)) === target) return;
    await rm(to, { force: true });
    return await symlink(target, to);
  }
  const mode = (status.mode & 0o100) === 0 ? 0o644 : 0o755;
  const same =
    there?.isFile() === true &&
    (there.mode & 0o777) === mode &&
    (await readFile(to)).equals(await readFile(from));
  if (same) return;
  await rm(to, { force: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

/** The modules that the program needs to run, as `npm ci --omit=dev` would install them: copies of the checkout's. */
async function installModules(root: string): Promise<void> {
  const lock = JSON.parse(await readFile(path.join(checkout, "node_modules/.package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  for (const [name, { dev }] of Object.entries(lock.packages)) {
    if (dev === true || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(name)) continue;
    const from = path.join(checkout, name);
    const to = path.join(root, name);
    const [wanted, there] = await Promise.all(
      [from, to].map((directory) =>
        readFile(path.join(directory, "package.json"), "utf8").catch(() => undefined),
      ),
    );
    if (wanted === undefined || wanted === there) continue;
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true });
  }
}

/** One commit with a fixed time and a tag, made anew when something changed. */
async function commit($: Shell, root: string, names: ReadonlySet<string>): Promise<void> {
  const time = `${epoch} +0000`;
  const env = {
    ...commandEnvironment(),
    GIT_AUTHOR_DATE: time,
    GIT_COMMITTER_DATE: time,
    GIT_CEILING_DIRECTORIES: path.dirname(root),
  };
  const git = $({ cwd: root, env });
  const settings = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "core.excludesFile="];
  const isRepository = await lstat(path.join(root, ".git")).catch(() => undefined);
  if (isRepository === undefined) await git`git init -q -b main`;
  for (const name of (await git`git ls-files -z`).stdout.split("\0")) {
    if (name !== "" && !names.has(name)) await rm(path.join(root, name), { force: true });
  }
  await git`git add -A`;
  const status = await git`git status --porcelain --untracked-files=no`;
  if (isRepository !== undefined && status.stdout === "") return;
  const amend = isRepository === undefined ? [] : ["--amend"];
  await git`git ${settings} commit -q ${amend} --allow-empty -m ${"What the tests build"}`;
  await git`git tag -f ${`v${version}`}`;
}

async function workspaceAt(root: string): Promise<Workspace> {
  const groups = new ProcessGroups();
  const $ = await createShell({ cwd: root, groups });
  const task = async (args: readonly string[], options: TaskOptions = {}): Promise<TaskResult> => {
    const bin = path.join(root, "bin/task.js");
    const command = [...(options.plainUser === true ? asPlainUser() : []), process.execPath, bin, ...args];
    const result = await $({
      cwd: options.cwd ?? root,
      env: { ...(options.env ?? commandEnvironment()) },
      nothrow: true,
    })`sh -c ${`umask ${options.umask ?? "022"}; exec "$@"`} sh ${command}`;
    return { status: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  };
  return {
    root,
    $,
    path: (name) => path.join(root, name),
    task,
    build: async (args, options) => {
      const result = await task(args, options);
      if (result.status === 0) return result;
      throw new Error(`task ${args.join(" ")}: exit status ${result.status}\n${result.stderr}`);
    },
  };
}
