// A copy of the checkout in which the real pipeline is measured, kept between runs; the checkout's own files and images
// stay as they are. It knows where the pipeline's files are, not what it makes of them.
import { chmod, copyFile, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { checkout, environment, place, shell } from "./place.js";

/** The controller script that is edited. */
export const script = "overlay-src/usr/local/bin/rz_mk_init.rb";

/** Where builds from a mirror of the benchmarks' own keep what they pinned, relative to the workspace. */
export const lock = ".buildcache/bench.lock.json";

/**
 * @typedef {object} Workspace
 * @property {string} root Absolute path.
 * @property {(...args: string[]) => string[]} task The command line of the project in this workspace.
 * @property {(...args: string[]) => Promise<string>} build Runs it, unmeasured; gives its standard output.
 */

/**
 * @param {string} name
 * @returns {Promise<Workspace>}
 */
export async function openWorkspace(name) {
  const root = place("pipeline", name);
  await mkdir(root, { recursive: true });
  const listed = await shell({ cwd: checkout })`git ls-files -z --cached --others --exclude-standard`;
  const names = listed.stdout.split("\0").filter((file) => file !== "" && !/^(test|docs|bench)\//.test(file));
  for (const file of names) await refresh(path.join(checkout, file), path.join(root, file));
  if (!(await exists(path.join(root, "node_modules")))) {
    await symlink(path.join(checkout, "node_modules"), path.join(root, "node_modules"));
  }
  await commit(root);
  const program = path.join(root, "bin/task.js");
  /** @param {string[]} args */
  const task = (...args) => [process.execPath, program, ...args];
  return {
    root,
    task,
    build: async (...args) => (await shell({ cwd: root, env: environment() })`${task(...args)}`).stdout,
  };
}

/**
 * A file that is the same already keeps its times.
 * @param {string} from
 * @param {string} to
 */
async function refresh(from, to) {
  const bytes = await readFile(from).catch(() => undefined);
  if (bytes === undefined) return await rm(to, { force: true });
  const there = await readFile(to).catch(() => undefined);
  if (there?.equals(bytes)) return;
  await mkdir(path.dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, (await stat(from)).mode & 0o777);
}

/**
 * A version and a time come from git: one commit, made once. What is edited later makes the version a dirty one.
 * @param {string} root
 */
async function commit(root) {
  if (await exists(path.join(root, ".git"))) return;
  const time = "1600000000 +0000";
  const dates = { GIT_AUTHOR_DATE: time, GIT_COMMITTER_DATE: time, GIT_CONFIG_GLOBAL: "/dev/null" };
  const $ = shell({ cwd: root, env: { ...environment(), ...dates } });
  const user = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  await $`git init -q -b main`;
  await writeFile(path.join(root, ".git/info/exclude"), "node_modules\n");
  await $`git add -A`;
  await $`git ${user} commit -q -m workspace`;
  await $`git ${user} tag v1.0.0`;
}

/** @param {string} file */
export async function exists(file) {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/**
 * A command that gives the script a last line that it never had; only one such line is there at a time.
 * @param {Workspace} workspace
 */
export function edit({ root }) {
  const file = path.join(root, script);
  return ["bash", "-c", `sed -i '/^# edit /d' "$0" && echo "# edit $(date +%s%N)" >> "$0"`, file];
}

/**
 * Builds from the sample source, so that both packages and extensions are there.
 * @param {Workspace} workspace
 */
export async function buildSample({ build }) {
  process.stderr.write("bench: building from the sample source\n");
  await build("iso", "bundle", "--source", "sample");
}

/**
 * Names a mirror in the workspace's sources: `--source bench`.
 * @param {Workspace} workspace
 * @param {Readonly<Record<string, string>>} definition
 */
export async function defineSource({ root }, definition) {
  const lines = Object.entries(definition).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
  const file = path.join(root, "lists/sources.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, `${text.replace(/^bench:\n(?: .*\n)*/m, "")}bench:\n${lines.join("")}`);
}
