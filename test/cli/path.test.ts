/** What a user relies on when naming a file: it is the one seen from where the command was given. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkout, demo, program, put, runTask } from "./workshop.ts";

/** One task that copies the list it is given. */
function lists(): string {
  const root = demo();
  const engine = /from "([^"]*src\/engine\/index\.ts)"/.exec(
    readFileSync(path.join(root, "Taskfile.ts"), "utf8"),
  )?.[1];
  put(
    root,
    "Taskfile.ts",
    `import { copyFileSync } from "node:fs";
import { file, out, param, task, taskfile } from "${engine}";
const list = param.path({ name: "list", short: "l", env: "DEMO_LIST", value: "FILE", description: "", default: "lists/default" });
const copy = task({
  name: "copy", description: "", inputs: { list: file(list) }, outputs: { copy: out.artifact("build/copy") },
  run: ({ inputs, outputs }) => copyFileSync(inputs.list, outputs.copy),
});
export default taskfile({ title: "", targets: [copy], variants: { dev: { description: "", flags: [] } } });
`,
  );
  put(root, "lists/default", "default");
  put(root, "sub directory/mine", "mine");
  return root;
}

describe("a file named on the command line", () => {
  it("is relative to the current directory, and a default to the workspace", async () => {
    const root = lists();
    const sub = path.join(root, "sub directory");
    expect((await runTask(sub, ["copy"])).status).toBe(0);
    expect(readFileSync(path.join(root, "build/copy"), "utf8")).toBe("default");
    expect((await runTask(sub, ["copy", "-l", "mine"])).status).toBe(0);
    expect(readFileSync(path.join(root, "build/copy"), "utf8")).toBe("mine");
    expect((await runTask(root, ["copy"], { DEMO_LIST: "sub directory/mine" })).stderr).toContain("fresh");
  });

  it("is missed before anything runs, by flag and value", async () => {
    const root = lists();
    mkdirSync(path.join(root, "empty"));
    const { status, stderr } = await runTask(path.join(root, "empty"), ["copy", "--list=mine"]);
    expect(status).toBe(2);
    expect(stderr).toContain("error: the file --list empty/mine does not exist");
    expect(stderr).not.toContain("copy:");
    const directory = await runTask(root, ["copy", "--list=empty"]);
    expect(directory.status).toBe(2);
    expect(directory.stderr).toContain("error: --list empty is a directory, but must be a file");
    expect(directory.stderr).toMatch(/hint: name a file/);
  });
});

/** A project that is in a directory of this name, with the program in it, as in a clone. */
function clone(name: string): string {
  const directory = path.join(demo(), name);
  mkdirSync(directory);
  for (const part of [".ci", "bin", "src", "package.json"]) {
    cpSync(path.join(checkout, part), path.join(directory, part), { recursive: true });
  }
  symlinkSync(path.join(checkout, "node_modules"), path.join(directory, "node_modules"));
  put(directory, "in/name", "World\n");
  put(directory, "in/script", "true\n");
  const tasks = readFileSync(path.join(directory, "../tasks/all.ts"), "utf8");
  put(
    directory,
    "tasks/all.ts",
    tasks.replace(/from "[^"]*engine\/index.ts"/, 'from "../src/engine/index.ts"'),
  );
  const taskfile = readFileSync(path.join(directory, "../Taskfile.ts"), "utf8");
  put(
    directory,
    "Taskfile.ts",
    taskfile.replace(/from "[^"]*engine\/index.ts"/, 'from "./src/engine/index.ts"'),
  );
  return directory;
}

describe("a directory's name", () => {
  it.each([["a*b"], ["a?b#c%41 \"d\" 'e'\n[f]{g,h}!(i) $j `k` ğ"]])(
    "may be %j for a project and its program",
    (name) => {
      const root = clone(name);
      const { status, stderr } = spawnSync(process.execPath, [path.join(root, "bin/task.js"), "greet"], {
        cwd: root,
        encoding: "utf8",
      });
      expect(status, stderr).toBe(0);
      expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("Hello World\n");
    },
  );

  it("with a backslash is refused by name, for Node loads no modules from there", async () => {
    const root = clone("a\\b");
    for (const command of [path.join(root, "bin/task.js"), program]) {
      const { status, stderr } = spawnSync(process.execPath, [command, "greet"], {
        cwd: root,
        encoding: "utf8",
      });
      expect(status).toBe(2);
      expect(stderr).toBe(
        `error: Node cannot load modules from a directory with a backslash (\\) in its path [directory-name]\n  where: ${root}\n  hint: rename the directory\n`,
      );
    }
  });

  it("with a backslash is refused by name by the set-up's scripts too", () => {
    const root = clone("a\\b");
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    for (const script of [scripts.quickstart, scripts.verify, ".ci/run"]) {
      const { status, stderr } = spawnSync("sh", ["-c", script], { cwd: root, encoding: "utf8" });
      expect(status, stderr).toBe(2);
      expect(stderr).toMatch(/^error: .* backslash .*\[directory-name\]\n {2}where: .*\n {2}hint: .*\n$/);
    }
  });

  it("that is not valid UTF-8 is refused as such", () => {
    const root = demo();
    const script = 'mkdir "$1/$(printf "\\377")" && cd "$1/$(printf "\\377")" && exec "$2" "$3" greet';
    const { status, stderr } = spawnSync("sh", ["-c", script, "sh", root, process.execPath, program], {
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toContain("error: the name of the current directory is not valid UTF-8");
  });
});

describe("--force", () => {
  it("may be given for several tasks, and knows their names", async () => {
    const root = demo();
    await runTask(root, ["greet"]);
    const { stderr } = await runTask(root, ["greet", "--force", "name", "--force", "greet"]);
    expect(stderr).toMatch(/name: rebuilt, forced[\s\S]*greet: rebuilt, forced/);
    expect((await runTask(root, ["greet", "--force", "gret"])).stderr).toContain("did you mean greet?");
  });
});
