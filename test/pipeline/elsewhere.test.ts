/** The bundle on a machine that has neither this project nor Node: a plain user, few tools, a strict umask. */
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { refusalsOfRazor } from "../support/razor-iso-check.ts";
import { describeTree, type Image, readImage } from "./image.ts";
import {
  asPlainUser,
  epoch,
  giveToPlainUser,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("genisoimage", "xorriso");

/** All that the scripts may call beside an ISO writer. */
const commands = [
  ...[
    "sh",
    "awk",
    "sed",
    "tar",
    "gzip",
    "find",
    "sort",
    "ls",
    "cat",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "chmod",
    "touch",
  ],
  ...["cut", "tr", "wc", "tail", "dd", "sha256sum", "grep", "dirname"],
];

const otherVersion = "1.2.3.4";

describe("the bundle on another machine", () => {
  let workspace: Workspace;
  let directory = "";
  let bundle = "";
  let ours: Image;
  let oursOfOther: Image;

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("another machine");
    await workspace.build(["iso", "bundle", "--source", "sample"]);
    await workspace.build(["iso", "--source", "sample", "--iso-version", otherVersion]);
    const iso = (name: string) => workspace.path(`build-files/rz_mk_dev-image.${name}.iso`);
    ours = await readImage(workspace.$, iso(version), path.join(directory, "ours"));
    oursOfOther = await readImage(workspace.$, iso(otherVersion), path.join(directory, "ours of other"));
    bundle = path.join(directory, "bundle.tar.gz");
    await copyFile(workspace.path("build-files/razor-microkernel-bundle-dev.tar.gz"), bundle);
  });

  afterAll(() => removeDirectory(directory));

  /** A directory with links to these tools and no others; undefined when one is not installed. */
  async function makePath(name: string, tools: readonly string[]): Promise<string | undefined> {
    const to = path.join(directory, name);
    await mkdir(to);
    for (const tool of tools) {
      const found = (
        await workspace.$({ nothrow: true })`sh -c ${'command -v "$1"'} sh ${tool}`
      ).stdout.trim();
      if (found === "") return undefined;
      await symlink(found, path.join(to, tool));
    }
    return to;
  }

  /** Unpacks the bundle in a new directory and runs both scripts; returns the absolute path of the ISO. */
  async function rebuild(name: string, tools: string, args: readonly string[] = []): Promise<string> {
    const at = path.join(directory, name);
    await mkdir(at);
    await giveToPlainUser(workspace.$, directory);
    const script =
      'umask 077 && cd "$1" && tar xzf "$2" && shift 2 && ./build_initial_directories.sh && ./rebuild_iso.sh "$@"';
    const command = [
      ...asPlainUser(),
      "env",
      "-i",
      `PATH=${tools}`,
      "sh",
      "-c",
      script,
      "sh",
      at,
      bundle,
      ...args,
    ];
    const { stdout } = await workspace.$`${command}`;
    const made = `rz_mk_dev-image.${args[0] ?? version}.iso`;
    expect(stdout).toContain(made);
    return path.join(at, made);
  }

  async function expectSame(iso: string, wanted: Image, name: string): Promise<void> {
    const image = await readImage(workspace.$, iso, path.join(directory, `${name} read`));
    expect(await describeTree(image.tree)).toEqual(await describeTree(wanted.tree));
    const files = (one: Image) =>
      one.entries.filter((entry) => entry.type === "file").map((entry) => entry.path);
    expect(files(image).sort()).toEqual(files(wanted).sort());
    for (const file of files(wanted)) {
      if (/boot\.cat$|core(pure64)?\.gz$/.test(file)) continue;
      const [one, other] = await Promise.all(
        [image, wanted].map(({ directory: at }) => readFile(path.join(at, file))),
      );
      if (one === undefined || other === undefined) throw new Error(file);
      if (file === "iso-metadata.yaml") {
        const metadata = parse(one.toString());
        expect(metadata).toEqual({
          ...parse(other.toString()),
          initrd_hash: await sha256(path.join(image.directory, metadata.initrd)),
        });
        expect(refusalsOfRazor(path.basename(iso), image.directory, epoch)).toEqual([]);
        continue;
      }
      // The writer patches its boot information table in here: 56 bytes from 8 on.
      if (file.endsWith("isolinux.bin")) for (const bytes of [one, other]) bytes.fill(0, 8, 64);
      expect(one.equals(other), file).toBe(true);
    }
  }

  it("makes the image that `task iso` makes, path by path, and the same bytes each time", async () => {
    const tools = await makePath("few tools", [...commands, "xorriso"]);
    if (tools === undefined) throw new Error("a tool is missing");
    const first = await rebuild("first run", tools);
    await expectSame(first, ours, "first");
    const second = await rebuild("second run", tools);
    expect(await sha256(second)).toBe(await sha256(first));
    const { stdout } = await workspace.$`xorriso -no_rc -indev ${first} -pvd_info`;
    expect(stdout).toMatch(/^Volume Id {4}: Razor MK 0\.9\.3$/m);
    expect(stdout).toMatch(/^App Id {7}: Razor Microkernel$/m);
  });

  it("takes a time of 0 for one, and writes the clock's nowhere", async () => {
    const at = path.join(directory, "first run");
    const facts = path.join(at, "bundle-version");
    const before = await readFile(facts, "utf8");
    await writeFile(facts, before.replace(/^epoch=.*$/m, "epoch=0"));
    const tools = path.join(directory, "few tools");
    await workspace.$({
      cwd: at,
    })`${[...asPlainUser(), "env", "-i", `PATH=${tools}`, "sh", "./rebuild_iso.sh", "0.0.0"]}`;
    await writeFile(facts, before);
    const { stdout } = await workspace.$({
      env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    })`xorriso -no_rc -indev ${path.join(at, "rz_mk_dev-image.0.0.0.iso")} -find / -exec lsdl -- -pvd_info`;
    const times = [...stdout.matchAll(/^[-de][-rwx].*? (\w{3} [ \d]\d .{5}) '/gm)].map(([, time]) => time);
    expect(times.length).toBeGreaterThan(5);
    expect(new Set(times)).toEqual(new Set(["Jan  1  1970"]));
    expect(stdout).toMatch(/^Creation Time: 1970010100000000$/m);
  });

  it("makes an image of another version when one is named, and refuses what cannot be one", async () => {
    const tools = path.join(directory, "few tools");
    const iso = await rebuild("another version", tools, [otherVersion]);
    await expectSame(iso, oursOfOther, "other");
    const at = path.join(directory, "another version");
    const command = [...asPlainUser(), "env", "-i", `PATH=${tools}`, "sh", "./rebuild_iso.sh", "1/2"];
    const refused = await workspace.$({ cwd: at, nothrow: true })`${command}`;
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('error: "1/2" cannot be a version');
  });

  it("works with busybox's shell, awk and tar", async () => {
    // The image's own busybox is statically linked.
    const tools = path.join(directory, "busybox tools");
    await mkdir(tools);
    const busybox = path.join(tools, "busybox");
    await writeFile(busybox, await ours.tree.read("bin/busybox"));
    await chmod(busybox, 0o755);
    for (const name of commands) await symlink("busybox", path.join(tools, name));
    const xorriso = (await workspace.$`sh -c ${"command -v xorriso"}`).stdout.trim();
    await symlink(xorriso, path.join(tools, "xorriso"));
    const iso = await rebuild("busybox run", tools);
    await expectSame(iso, ours, "busybox");
  });

  it("works with genisoimage where there is no xorriso, and its ISO starts from a stick", async (context) => {
    const tools = await makePath("old tools", [...commands, "od", "genisoimage", "isoinfo"]);
    if (tools === undefined) return context.skip("genisoimage is not installed");
    const first = await rebuild("genisoimage run", tools);
    await expectSame(first, ours, "genisoimage");
    const second = await rebuild("second genisoimage run", tools);
    expect(await sha256(second)).toBe(await sha256(first));
    const machine = bootQemu({ stick: first });
    try {
      await machine.expect(`MK Loaded: v${version}`, 400_000);
    } finally {
      await machine.close();
    }
  }, 600_000);

  it("says which package is missing on a machine without any ISO writer", async () => {
    const tools = await makePath("no writer", commands);
    if (tools === undefined) throw new Error("a tool is missing");
    const at = path.join(directory, "first run");
    const run = (script: string) =>
      workspace.$({
        cwd: at,
        nothrow: true,
      })`${[...asPlainUser(), "env", "-i", `PATH=${tools}`, "sh", script]}`;
    const reading = await run("./build_initial_directories.sh");
    expect([reading.exitCode, reading.stderr]).toEqual([
      1,
      expect.stringContaining("install the package xorriso"),
    ]);
    // iso/ and image/ are empty now: they are made anew before the rebuild is asked for again.
    const writing = await workspace.$({
      cwd: path.join(directory, "second run"),
      nothrow: true,
    })`${[...asPlainUser(), "env", "-i", `PATH=${tools}`, "sh", "./rebuild_iso.sh", "9.9"]}`;
    expect([writing.exitCode, writing.stderr]).toEqual([
      1,
      expect.stringContaining("install the package xorriso"),
    ]);
    const left = await workspace.$({ cwd: path.join(directory, "second run") })`ls`;
    expect(left.stdout).not.toMatch(/9\.9|work\.|\.part/);
  });
});
