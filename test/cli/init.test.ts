/** A new project: what it begins with, that it builds, and that nothing that is there is lost. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openTerminal } from "./terminal.ts";
import { checkout, demo, put, type Run, runTask } from "./workshop.ts";

/** By the link that npm made, rather than by the checkout's own file. */
function runProgram(command: string, cwd: string, words: readonly string[]): Promise<Run> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    execFile(command, words, { cwd, env: { PATH, HOME } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("init", () => {
  it("makes a project that type-checks", async () => {
    const root = demo();
    expect(await runTask(root, ["init", "my image"])).toMatchObject({ status: 0 });
    const project = path.join(root, "my image");
    const tsc = path.join(checkout, "node_modules/typescript/bin/tsc");
    expect(await runProgram(process.execPath, project, [tsc, "--noEmit"])).toMatchObject({
      status: 0,
      stdout: "",
    });
    put(
      project,
      "Taskfile.ts",
      `${readFileSync(path.join(project, "Taskfile.ts"), "utf8")}\nconst n: number = "";\n`,
    );
    expect((await runProgram(process.execPath, project, [tsc, "--noEmit"])).stdout).toContain("TS2322");
  });

  it("makes a project whose own targets build, beside the pipeline's, with the command that npm links", async () => {
    const root = demo();
    const made = await runTask(root, ["init", "my image"]);
    expect(made, made.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/cd 'my image'\n/) });
    const project = path.join(root, "my image");
    expect(readdirSync(project).sort()).toEqual([
      ".gitignore",
      "COPYING",
      "LICENSE",
      "Taskfile.ts",
      "lists",
      "node_modules",
      "overlay-src",
      "package.json",
      "tasks",
      "tsconfig.json",
    ]);
    const command = path.join(project, "node_modules/.bin/task");
    const menu = await runProgram(command, project, ["--prod"]);
    expect(menu.stdout).toMatch(/ my-image\n version 0\.1\.0\n variant prod/);
    expect(menu.stdout).toContain("rebuild-iso (iso)");

    const taskfile = readFileSync(path.join(project, "Taskfile.ts"), "utf8");
    put(
      project,
      "tasks/motd.ts",
      `import { readFileSync, writeFileSync } from "node:fs";
import { file, out, task } from "razor-mk";
export const motd = task({
  name: "motd", description: "Make the message of the day",
  inputs: { list: file("lists/gem.list") }, outputs: { motd: out.artifact("build-files/motd") },
  run: ({ inputs, outputs }) => writeFileSync(outputs.motd, readFileSync(inputs.list, "utf8").toUpperCase()),
});
`,
    );
    put(
      project,
      "Taskfile.ts",
      `import { motd } from "./tasks/motd.ts";\n${taskfile.replace("packageList]", "packageList, motd]")}`,
    );
    const built = await runProgram(command, project, ["motd"]);
    expect(built, built.stderr).toMatchObject({ status: 0 });
    expect(readFileSync(path.join(project, "build-files/motd"), "utf8")).toContain("FACTER");
    expect((await runProgram(command, project, ["motd"])).stderr).toMatch(/nothing to do/);
    // The pipeline's own files are found in the package, under a name that is the same on every machine.
    const plan = await runProgram(command, project, ["iso", "--source", "sample", "--dry-run", "--json"]);
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
    expect(plan.stdout).toContain('"overlay@dev"');
  });

  it("makes a rescue system's project without the Microkernel's parts", async () => {
    const root = demo();
    expect(await runTask(root, ["init", "rescue", "--template", "rescue"])).toMatchObject({ status: 0 });
    const project = path.join(root, "rescue");
    const below = readdirSync(project, { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.startsWith("node_modules"),
    );
    expect(below).toContain("overlay-src/opt/bootsync.sh");
    const razor = /mcollective|rz_mk|razor_microkernel|mk_conf|checkin/;
    expect(below.filter((name) => razor.test(name))).toEqual([]);
    expect(readFileSync(path.join(project, "overlay-src/opt/bootsync.sh"), "utf8")).not.toMatch(
      /ruby|razor/i,
    );
    expect(readFileSync(path.join(project, "lists/gem.list"), "utf8")).toMatch(/^(#.*\n)*$/);
    const command = path.join(project, "node_modules/.bin/task");
    const plan = await runProgram(command, project, ["iso", "--source", "sample", "--dry-run"]);
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
  });

  it("makes an appliance's project with programs of its own, an account, edits and names", async () => {
    const root = demo();
    expect(await runTask(root, ["init", "kiosk", "--template", "appliance"])).toMatchObject({ status: 0 });
    const project = path.join(root, "kiosk");
    const mode = (name: string) => statSync(path.join(project, name)).mode & 0o777;
    expect(mode("extensions/status/tree/usr/local/bin/status")).toBe(0o755);
    expect(mode("edits/set-up.sh")).toBe(0o644);
    const command = path.join(project, "node_modules/.bin/task");
    const plan = await runProgram(command, project, ["iso", "--source", "sample", "--dry-run", "--json"]);
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
    expect(plan.stdout).toContain('"own-extensions@dev"');
    const index = await runProgram(command, project, ["own-index"]);
    expect(index, index.stderr).toMatchObject({ status: 0 });
  });

  it("makes a project that keeps to one flavour, whose iso is a remastered Core", async () => {
    const root = demo();
    expect(await runTask(root, ["init", "core", "--flavour", "remaster"])).toMatchObject({ status: 0 });
    const project = path.join(root, "core");
    const command = path.join(project, "node_modules/.bin/task");
    const list = await runProgram(command, project, ["list"]);
    expect(list.stdout).toMatch(/^remaster \(iso\) /m);
    expect(list.stdout).not.toMatch(/^(rebuild-iso|bundle|fetch-gems|pxe|store)\b/m);
    const plan = await runProgram(command, project, ["iso", "--source", "sample", "--dry-run"]);
    expect(plan, plan.stderr).toMatchObject({ status: 0 });
    expect(plan.stdout).toContain("remaster-extensions");
    expect(plan.stdout).not.toMatch(/fetch-tcz|gems|setup-files/);
    expect(await runTask(root, ["init", "toast", "--flavour", "remastered"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/\[unknown-flavour\][\s\S]*did you mean remaster\?/),
    });
    expect(readdirSync(root)).not.toContain("toast");
  });

  it("sets the Taskfile's defaults by options, with a mirror's directory as the project finds it", async () => {
    const root = demo();
    rmSync(path.join(root, "Taskfile.ts"));
    const taskfileOf = (name: string) => readFileSync(path.join(root, name, "Taskfile.ts"), "utf8");
    expect(await runTask(root, ["init", "one", "--source", "sample", "--prod"])).toMatchObject({ status: 0 });
    expect(taskfileOf("one")).toContain('  defaults: { variant: "prod", source: "sample" },\n');
    const settings = await runProgram(path.join(root, "one/node_modules/.bin/task"), path.join(root, "one"), [
      "settings",
    ]);
    expect(settings.stdout).toMatch(/source +sample .*Taskfile/);
    mkdirSync(path.join(root, "mirror"));
    expect(await runTask(root, ["init", "two", "--source", "./mirror"])).toMatchObject({ status: 0 });
    expect(taskfileOf("two")).toContain('  defaults: { source: "./../mirror" },\n');
    // What the environment says is of this machine.
    expect(await runTask(root, ["init", "three"], { MK_BUNDLE_SOURCE: "sample" })).toMatchObject({
      status: 0,
    });
    expect(taskfileOf("three")).not.toContain("defaults");
    const secret = await runTask(root, ["init", "four", "--source", "https://me:hush@127.0.0.1/tc"]);
    expect(secret).toMatchObject({ status: 2, stderr: expect.stringContaining("[init-secret]") });
    expect(readdirSync(root)).not.toContain("four");
  });

  it("asks for the Taskfile's defaults on a terminal, and makes nothing if the user leaves", async () => {
    const root = demo();
    rmSync(path.join(root, "Taskfile.ts"));
    const started = (words: string) => {
      const script = `'${process.execPath}' '${path.join(checkout, "bin/task.js")}' init ${words}; echo "left with $?"`;
      return openTerminal(`sh -c '${script.replaceAll("'", "'\\''")}'`, { cwd: root, env: { HOME: root } });
    };
    const asked = started("image");
    await asked.shows(/Which variant/);
    asked.type("prod");
    await asked.shows(/› prod/);
    asked.type("\r");
    await asked.shows(/Which source/);
    asked.type("sam");
    await asked.shows(/› sample/);
    asked.type("\r");
    await asked.shows(/created \d+ files[\s\S]*left with 0/);
    await asked.ended;
    expect(readFileSync(path.join(root, "image/Taskfile.ts"), "utf8")).toContain(
      '  defaults: { variant: "prod", source: "sample" },\n',
    );
    const left = started("other --prod");
    await left.shows(/Which source/);
    left.type("q");
    await left.shows(/left with 0/);
    await left.ended;
    expect(readdirSync(root)).not.toContain("other");
  });

  it("names the templates there are when another is asked for", async () => {
    const root = demo();
    const near = await runTask(root, ["init", "image", "--template", "rescu"]);
    expect(near).toMatchObject({ status: 2, stderr: expect.stringContaining("did you mean rescue?") });
    const far = await runTask(root, ["init", "image", "--template", "toaster"]);
    expect(far).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/there is no template "toaster"[\s\S]*razor \(.*; rescue \(/),
    });
    expect(readdirSync(root)).not.toContain("image");
  });

  it("refuses a package.json whose modules cannot import, and says how to change that", async () => {
    const root = demo();
    const text = JSON.stringify({ type: "commonjs", dependencies: { "razor-mk": "file:../razor-mk" } });
    put(root, "image/package.json", text);
    const refused = await runTask(root, ["init", "image"]);
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/\[init-module-type\][\s\S]*npm pkg set type=module/),
    });
    expect(readdirSync(path.join(root, "image"))).toEqual(["package.json"]);
    expect(readFileSync(path.join(root, "image/package.json"), "utf8")).toBe(text);
  });

  it("says so where no directory can be made", async () => {
    const run = await runTask(demo(), ["init", "/proc/image"]);
    expect(run.stderr).toMatch(
      /^error: the project cannot be written: .+\n {2}where: \/proc\/image\n {2}hint: /,
    );
    expect(run.status).toBe(1);
  });

  it("keeps files that are there, and refuses a directory that holds a project", async () => {
    const root = demo();
    mkdirSync(path.join(root, "taken"));
    put(root, "taken/LICENSE", "mine\n");
    const made = await runTask(root, ["init", "taken"]);
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/kept unchanged: LICENSE\n/) });
    expect(readFileSync(path.join(root, "taken/LICENSE"), "utf8")).toBe("mine\n");

    const before = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
    const refused = await runTask(root, ["init"]);
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/a project exists already.*Taskfile/),
    });
    expect(readFileSync(path.join(root, "Taskfile.ts"), "utf8")).toBe(before);
    expect(readdirSync(root)).not.toContain("overlay-src");
  });
});
