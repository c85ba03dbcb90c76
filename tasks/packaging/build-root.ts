/**
 * The system in which a recipe is built: Core and the extensions that the build needs, in a directory, entered by namespaces that need
 * no rights of root and end with the processes in them.
 *
 * Facts: unshare(1), user_namespaces(7) (only the user id 0 is mapped); Core-scripts, usr/bin/tce-load (start scripts, ldconfig).
 */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { FileTree, layOutTree, type Merged } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { mergeView } from "../../src/inspection/index.ts";
import { undated } from "../settings/undated.ts";
import { scriptsDirectory } from "./tree-rules.ts";

/** Where the parts of a build are in the root: the same for every build, since compilers write it into programs. */
export const buildPaths = {
  source: "build/source",
  destination: "build/dest",
  patches: "build/patches",
} as const;

/** Programs that come before the system's. */
const shims = "build/.bin";

interface RootRequest {
  /** Core's files with contents; not changed. */
  readonly core: FileTree;
  /** Extensions by file name, dependencies first. */
  readonly extensions: ReadonlyMap<string, FileTree>;
  readonly kernelRelease: string;
  /** Whether Core is for 32-bit processors. */
  readonly isNarrow: boolean;
  /** Whether its processes have this machine's network; without, they have none. */
  readonly network: boolean;
}

/** What a script sees beside the fixed variables. */
export type BuildVariables = Readonly<Record<string, string>>;

/** Runs the shell text in the root, in a directory relative to it; throws zx's `ProcessOutput` if it fails. */
export type RunInRoot = (script: string, directory: string, variables?: BuildVariables) => Promise<void>;

/** Mounts what programs expect, and gives way to the script: `sh -c OUTER sh ROOT DIRECTORY NARROW VARIABLE=VALUE…`. */
const outer = `set -e
root=$1 directory=$2 narrow=$3
shift 3
umask 022
mkdir -p "$root/proc" "$root/dev/pts" "$root/tmp"
mount -t proc proc "$root/proc"
for device in null zero full random urandom tty; do
  [ -e "/dev/$device" ] || continue
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -sfn /proc/self/fd "$root/dev/fd"
exec \${narrow:+setarch linux32} chroot "$root" /usr/bin/env -i "$@" \\
  /bin/sh -c 'cd "$1" && exec /bin/sh -e /build/.step' sh "/$directory"
`;

/** `uname` that tells of the image's kernel: builds ask it for which kernel to make modules. */
const uname = (release: string): string => `#!/bin/sh
case "$*" in
-r) echo ${release} ;;
*) /bin/busybox uname "$@" | sed "s/$(/bin/busybox uname -r)/${release}/" ;;
esac
`;

/** A shell that has such programs built in may prefer them to those of PATH, but never to a function. */
const preferShims = `uname() { /${shims}/uname "$@"; }\n`;

/**
 * Lays out the root in `directory` (absolute; made), with the start scripts of the extensions run as at boot. Returns what runs scripts
 * in it.
 * @throws UserError `build-namespace` where this machine allows no namespaces
 */
export async function openBuildRoot($: Shell, directory: string, request: RootRequest): Promise<RunInRoot> {
  const { core, extensions, kernelRelease, isNarrow, network } = request;
  await requireNamespaces($);
  await layOutTree(rootTree(core, extensions), directory, { label: "the build root" });
  for (const name of [...Object.values(buildPaths), shims, "proc", "dev", "tmp"])
    await mkdir(path.join(directory, name), { recursive: true });
  await chmod(path.join(directory, "tmp"), 0o1777);
  await writeFile(path.join(directory, shims, "uname"), uname(kernelRelease), { mode: 0o755 });
  const unshared = ["-Urmpf", "--kill-child", ...(network ? [] : ["--net"])];
  const run: RunInRoot = async (script, within, variables = {}) => {
    await writeFile(path.join(directory, "build/.step"), `${preferShims}${script}`);
    const environment = {
      PATH: `/${shims}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      ...{ HOME: "/root", TMPDIR: "/tmp", LC_ALL: "C", TZ: "UTC", USER: "root", LOGNAME: "root" },
      ...{ SOURCE_DATE_EPOCH: `${undated}`, DESTDIR: `/${buildPaths.destination}`, KERNEL: kernelRelease },
      ...variables,
    };
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    await $`unshare ${unshared} sh -c ${outer} sh ${directory} ${within} ${isNarrow ? "yes" : ""} ${words}`;
  };
  if (network) await copyResolver(directory);
  await run(startScripts([...extensions.keys()]), "");
  return run;
}

/** Fails with what to do where a process may not make its namespaces. */
async function requireNamespaces($: Shell): Promise<void> {
  try {
    await $`unshare -Urmpf --net true`;
  } catch (cause) {
    if (typeof cause !== "object" || cause === null || !("exitCode" in cause) || cause.exitCode === null)
      throw cause;
    throw new UserError("this machine does not let users make namespaces, in which recipes are built", {
      code: "build-namespace",
      where: "unshare",
      hint: "allow them: sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0; containers need --security-opt seccomp=unconfined",
      cause,
    });
  }
}

/** Core with the extensions loaded: what Core has stays, as loading never replaces. */
function rootTree(core: FileTree, extensions: ReadonlyMap<string, FileTree>): FileTree {
  const merged: Merged = { tree: core.clone(), origins: new Map(), problems: [] };
  const layers = [...extensions].map(([name, tree]) => ({
    ...({ name, kind: "extension", isSeen: true, file: name, tree } as const),
  }));
  const { tree } = mergeView(merged, [], layers);
  const own = /^(build|proc|dev|tmp)(\/|$)/;
  const plain = [...tree].filter(
    ([entry, { type }]) => ["file", "directory", "symlink"].includes(type) && !own.test(entry),
  );
  return new FileTree(plain).ensureParents({ mtime: undated });
}

/** Runs what tce-load runs. A script may want a machine that is not there: that does not stop the build. */
function startScripts(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name.replace(/\.tcz$/, "").replaceAll("'", "'\\''")}'`);
  return `mkdir -p /${scriptsDirectory}
[ ! -x /sbin/ldconfig ] || /sbin/ldconfig || true
for name in ${quoted.join(" ")}; do
  script=/${scriptsDirectory}/$name
  if [ -s "$script" ] && [ -x "$script" ]; then
    "$script" </dev/null >/dev/null 2>&1 || echo "the start script of $name failed"
  fi
  [ -e "$script" ] || : >"$script"
done
[ ! -x /sbin/ldconfig ] || /sbin/ldconfig || true
`;
}

/** Lets programs in the root find servers by name as this machine does. */
async function copyResolver(directory: string): Promise<void> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => undefined);
  const target = path.join(directory, "etc/resolv.conf");
  await rm(target, { force: true });
  if (text !== undefined) await writeFile(target, text);
}
