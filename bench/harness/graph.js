// The same graph of tasks for each runner: every task concatenates its input files with one `cat`, and the last one the
// results of all others. It knows how each runner is told, not how any works.
import { createHash } from "node:crypto";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { ensureRunners, ensureTools, runnersDirectory } from "./peers.js";
import { emptyPlace, environment, shell, taskProgram } from "./place.js";

/**
 * @typedef {object} Shape
 * @property {number} tasks Beside the one that needs all.
 * @property {number} filesPerTask
 */

/**
 * @typedef {object} Player One runner with a graph of its own.
 * @property {string} name
 * @property {string} cwd Absolute path.
 * @property {readonly string[]} command Brings everything up to date.
 * @property {Readonly<Record<string, string>>} [env]
 * @property {readonly string[]} state Paths and patterns of what it wrote beside the outputs, relative to `cwd`.
 * @property {readonly string[]} [stop] Ends what it left running.
 */

/** @typedef {{ readonly player?: Player, readonly name: string, readonly missing?: string }} Entrant */

export const ours = "razor-mk";

/** @param {number} index */
const taskName = (index) => `p${String(index).padStart(5, "0")}`;
/** @param {number} index */
const fileName = (index) => `${String(index).padStart(5, "0")}.txt`;

/** @param {Shape} shape */
const taskNames = ({ tasks }) => Array.from({ length: tasks }, (_, index) => taskName(index));
/** @param {Shape} shape */
const fileNames = ({ filesPerTask }) => Array.from({ length: filesPerTask }, (_, index) => fileName(index));

/**
 * Writes the input files: a few hundred bytes each, no two the same.
 * @param {string} directory
 * @param {Shape} shape
 */
async function writeInputs(directory, shape) {
  for (const task of [...taskNames(shape)]) {
    const source = path.join(directory, "packages", task, "src");
    await mkdir(source, { recursive: true });
    await Promise.all(
      fileNames(shape).map((file) => writeFile(path.join(source, file), `${task} ${file}\n`.repeat(20))),
    );
  }
  await mkdir(path.join(directory, "packages", "all"), { recursive: true });
}

/**
 * The graph for this project, in a new directory `names` of the benchmarks' place.
 * @param {Shape} shape
 * @param {readonly string[]} names
 * @returns {Promise<Player>}
 */
export async function writeOurs(shape, ...names) {
  const cwd = await emptyPlace(...names);
  await writeInputs(cwd, shape);
  const engine = path.relative(cwd, path.join(path.dirname(taskProgram), "../src/engine/index.ts"));
  await writeFile(
    path.join(cwd, "Taskfile.ts"),
    `import path from "node:path";
import { files, out, task, taskfile } from "${engine}";

const parts = Array.from({ length: ${shape.tasks} }, (_, index) => {
  const name = \`p\${String(index).padStart(5, "0")}\`;
  return task({
    name,
    description: "concatenate the files of one directory",
    inputs: { parts: files("*.txt", { root: \`packages/\${name}/src\` }) },
    tools: ["cat"],
    outputs: { out: out.artifact(\`packages/\${name}/out.txt\`) },
    async run({ $, inputs, outputs }) {
      const { root, paths } = inputs.parts;
      await $({ cwd: root })\`cat \${paths} > \${outputs.out}\`;
    },
  });
});

const all = task({
  name: "all",
  description: "concatenate the results of all others",
  needs: Object.fromEntries(parts.map((part) => [part.name, part])),
  tools: ["cat"],
  outputs: { out: out.artifact("packages/all/out.txt") },
  // Ten thousand paths are more than a command line holds: the shell finds them, as it does for the other runners.
  async run({ $, needs, outputs }) {
    const cwd = path.resolve(needs.p00000?.out ?? "", "../..");
    await $({ cwd })\`cat p*/out.txt > \${outputs.out}\`;
  },
});

export default taskfile({
  title: "Benchmark",
  targets: [...parts, all],
  variants: { only: { description: "the only one", flags: [] } },
});
`,
  );
  return { name: ours, cwd, command: [process.execPath, taskProgram, "all"], state: [".buildcache/v1"] };
}

/**
 * The graph for every runner that can be had.
 * @param {Shape} shape
 * @param {string} name Directory of the benchmarks' place.
 * @param {readonly string[]} [only] Names of the runners that are wanted; all without it.
 * @returns {Promise<Entrant[]>}
 */
export async function writeGraphs(shape, name, only) {
  /** @param {string} runner */
  const isWanted = (runner) => only === undefined || only.includes(runner);
  const missing = await ensureTools(["ninja", "make"]);
  const runners = ["turbo", "nx", "wireit"].some(isWanted) ? await ensureRunners() : new Map();
  /** @type {Entrant[]} */
  const entrants = [];
  for (const [tool, write] of /** @type {const} */ ([
    ["ninja", writeNinja],
    ["make", writeMake],
    ["turbo", writeTurbo],
    ["nx", writeNx],
    ["wireit", writeWireit],
  ])) {
    if (!isWanted(tool)) continue;
    const program = tool === "ninja" || tool === "make" ? tool : runners.get(tool);
    if (program === undefined || missing.some((one) => one === tool)) {
      entrants.push({ name: tool, missing: "could not be installed" });
      continue;
    }
    process.stderr.write(`bench: writing the graph for ${tool}\n`);
    const cwd = await emptyPlace(name, tool);
    await writeInputs(cwd, shape);
    entrants.push({ name: tool, player: await write(cwd, shape, program) });
  }
  entrants.push({ name: ours, player: await writeOurs(shape, name, ours) });
  return entrants;
}

/**
 * @param {string} cwd
 * @param {Shape} shape
 * @param {string} program
 * @returns {Promise<Player>}
 */
async function writeNinja(cwd, shape, program) {
  const rules = taskNames(shape).map((task) => {
    const from = fileNames(shape).map((file) => `packages/${task}/src/${file}`);
    return `build packages/${task}/out.txt: cat ${from.join(" ")}\n`;
  });
  const results = taskNames(shape).map((task) => `packages/${task}/out.txt`);
  rules.push(`build packages/all/out.txt: all ${results.join(" ")}\ndefault packages/all/out.txt\n`);
  // Ten thousand paths are more than one argument of the shell holds: it finds them.
  const commands =
    "rule cat\n  command = cat $in > $out\nrule all\n  command = cat packages/p*/out.txt > $out\n";
  await writeFile(path.join(cwd, "build.ninja"), `${commands}${rules.join("")}`);
  return { name: "ninja", cwd, command: [program], state: [".ninja_log", ".ninja_deps"] };
}

/**
 * @param {string} cwd
 * @param {Shape} shape
 * @param {string} program
 * @returns {Promise<Player>}
 */
async function writeMake(cwd, shape, program) {
  const results = taskNames(shape).map((task) => `packages/${task}/out.txt`);
  const rules = taskNames(shape).map((task) => {
    const from = fileNames(shape).map((file) => `packages/${task}/src/${file}`);
    return `packages/${task}/out.txt: ${from.join(" ")}\n\t@cat $^ > $@\n`;
  });
  rules.unshift(`packages/all/out.txt: ${results.join(" ")}\n\t@cat packages/p*/out.txt > $@\n`);
  await writeFile(path.join(cwd, "Makefile"), rules.join(""));
  return { name: "make", cwd, command: [program, "-rR", `-j${availableParallelism()}`], state: [] };
}

/**
 * A directory that is a repository of its own, as the runners of npm expect; outputs and caches are ignored.
 * @param {string} cwd
 * @param {Readonly<Record<string, unknown>>} files JSON by path.
 */
async function writeRepository(cwd, files) {
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(cwd, name), `${JSON.stringify(content, undefined, 2)}\n`);
  }
  await writeFile(path.join(cwd, ".gitignore"), "node_modules\nout.txt\n.turbo\n.nx\n.wireit\n");
  await symlink(path.join(runnersDirectory(), "node_modules"), path.join(cwd, "node_modules"));
  const env = { ...environment(), GIT_CONFIG_GLOBAL: "/dev/null" };
  const user = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  const $ = shell({ cwd, env });
  await $`git init -q -b main`;
  await $`git add -A`;
  await $`git ${user} commit -q -m graph`;
}

/**
 * @param {string} cwd
 * @param {Shape} shape
 * @param {string} program
 * @returns {Promise<Player>}
 */
async function writeTurbo(cwd, shape, program) {
  const tasks = taskNames(shape);
  const lock = [...tasks, "all"].map((task) => [`packages/${task}`, { name: task, version: "1.0.0" }]);
  await writeRepository(cwd, {
    "package.json": {
      name: "graph",
      private: true,
      packageManager: "npm@10.0.0",
      workspaces: ["packages/*"],
    },
    "package-lock.json": { name: "graph", lockfileVersion: 3, packages: Object.fromEntries(lock) },
    "turbo.json": {
      tasks: { build: { dependsOn: ["^build"], inputs: ["src/**"], outputs: ["out.txt"] } },
    },
    ...Object.fromEntries(
      tasks.map((task) => [
        `packages/${task}/package.json`,
        { name: task, version: "1.0.0", scripts: { build: "cat src/*.txt > out.txt" } },
      ]),
    ),
    "packages/all/package.json": {
      name: "all",
      version: "1.0.0",
      scripts: { build: "cat ../p*/out.txt > out.txt" },
      dependencies: Object.fromEntries(tasks.map((task) => [task, "1.0.0"])),
    },
  });
  const state = [".turbo", "packages/*/.turbo", "node_modules/.cache/turbo"];
  return { name: "turbo", cwd, command: [program, "run", "build", "--output-logs=errors-only"], state };
}

/**
 * @param {string} cwd
 * @param {Shape} shape
 * @param {string} program
 * @returns {Promise<Player>}
 */
async function writeNx(cwd, shape, program) {
  const tasks = taskNames(shape);
  /**
   * @param {string} name
   * @param {string} command
   * @param {readonly string[]} needs
   */
  const project = (name, command, needs) => ({
    name,
    root: `packages/${name}`,
    implicitDependencies: needs,
    targets: {
      build: {
        executor: "nx:run-commands",
        cache: true,
        dependsOn: ["^build"],
        inputs: ["{projectRoot}/src/**", { dependentTasksOutputFiles: "**/out.txt" }],
        outputs: ["{projectRoot}/out.txt"],
        options: { command },
      },
    },
  });
  await writeRepository(cwd, {
    "package.json": { name: "graph", private: true, devDependencies: { nx: "*" } },
    "nx.json": { analytics: false, neverConnectToCloud: true, useInferencePlugins: false },
    ...Object.fromEntries(
      tasks.map((task) => [
        `packages/${task}/project.json`,
        project(task, `cat packages/${task}/src/*.txt > packages/${task}/out.txt`, []),
      ]),
    ),
    "packages/all/project.json": project("all", "cat packages/p*/out.txt > packages/all/out.txt", tasks),
  });
  return {
    name: "nx",
    cwd,
    command: [program, "run", "all:build", "--output-style=static"],
    // A background process would do part of the work between the runs: nobody else's does.
    env: { NX_DAEMON: "false" },
    state: [".nx"],
  };
}

/**
 * @param {string} cwd
 * @param {Shape} shape
 * @returns {Promise<Player>}
 */
async function writeWireit(cwd, shape) {
  const tasks = taskNames(shape);
  /** @param {object} wireit */
  const script = (wireit) => ({ private: true, scripts: { build: "wireit" }, wireit: { build: wireit } });
  await writeRepository(cwd, {
    "package.json": script({ dependencies: ["./packages/all:build"] }),
    ...Object.fromEntries(
      tasks.map((task) => [
        `packages/${task}/package.json`,
        script({ command: "cat src/*.txt > out.txt", files: ["src/*.txt"], output: ["out.txt"] }),
      ]),
    ),
    "packages/all/package.json": script({
      command: "cat ../p*/out.txt > out.txt",
      dependencies: tasks.map((task) => `../${task}:build`),
      files: [],
      output: ["out.txt"],
    }),
  });
  return {
    name: "wireit",
    cwd,
    command: ["npm", "run", "--silent", "build"],
    env: { WIREIT_LOGGER: "quiet" },
    state: [".wireit", "packages/*/.wireit"],
  };
}

/**
 * A command that removes what a player made and knows, so that the next run starts from nothing.
 * @param {Player} player
 * @param {readonly string[]} [state]
 */
export function forget({ state: own }, state = own) {
  return ["bash", "-c", `rm -rf packages/*/out.txt ${state.join(" ")}`];
}

/**
 * Runs a player once, unmeasured.
 * @param {Player} player
 */
export async function play({ cwd, command, env = {} }) {
  await shell({ cwd, env: { ...environment(), ...env } })`${command}`;
}

/**
 * The digest of all results of a player, in the order of their names.
 * @param {Player} player
 * @param {Shape} shape
 */
export async function digestResults({ cwd }, shape) {
  const digest = createHash("sha256");
  for (const task of [...taskNames(shape), "all"]) {
    const bytes = await readFile(path.join(cwd, "packages", task, "out.txt"));
    digest.update(`${task} ${bytes.length}\n`).update(bytes);
  }
  return digest.digest("hex");
}

/**
 * One line that says whether all made the same bytes.
 * @param {readonly Player[]} players
 * @param {Shape} shape
 */
export async function compareResults(players, shape) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const player of players) {
    const digest = await digestResults(player, shape).catch(() => "incomplete");
    groups.set(digest, [...(groups.get(digest) ?? []), player.name]);
  }
  const said = [...groups].map(([digest, names]) => `${digest.slice(0, 12)} ${names.join(", ")}`);
  if (groups.size > 1 || groups.has("incomplete")) return `DIFFERENT results: ${said.join("; ")}`;
  return `the results of all are the same bytes (sha256 ${said.join("")})`;
}
