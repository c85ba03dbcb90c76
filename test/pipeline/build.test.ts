/** What is built, and above all what is not built again. */
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readIsoStructure } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import {
  commandEnvironment,
  copyWorkspace,
  giveToPlainUser,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  type TaskOptions,
  type TaskResult,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("locales");

const both = ["iso", "bundle", "--source", "sample"];

/** Names of the tasks that a run ran, in byte order. */
function rebuilt({ stderr }: TaskResult): readonly string[] {
  return [...stderr.matchAll(/^✓ (\S+): rebuilt/gm)].map(([, name = ""]) => name).sort();
}

function restored({ stderr }: TaskResult): readonly string[] {
  return [...stderr.matchAll(/^↺ (\S+): restored/gm)].map(([, name = ""]) => name).sort();
}

describe("a build from the sample source", () => {
  let workspace: Workspace;
  let iso = "";
  let bundle = "";
  let other = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
    bundle = workspace.path("build-files/razor-microkernel-bundle-dev.tar.gz");
    other = await makeDirectory("elsewhere ğüş");
    await workspace.build(both);
  });

  afterAll(() => removeDirectory(other));

  it("makes the ISO and the bundle, and ends with path, size and sha256 of each", async () => {
    const { stdout } = await workspace.build(both);
    for (const file of [iso, bundle]) {
      expect(stdout).toContain(path.relative(workspace.root, file));
      expect(stdout).toContain(`sha256 ${await sha256(file)}`);
    }
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("runs nothing the second time, and says so", async () => {
    const result = await workspace.build(both);
    expect(rebuilt(result), result.stderr).toEqual([]);
    expect(result.stderr).toMatch(/nothing to do: \d+ fresh/);
  });

  it("works from any directory of the workspace, also in a continuous integration's environment", async () => {
    const result = await workspace.build(both, {
      cwd: workspace.path("overlay-src/usr/local"),
      env: commandEnvironment({ CI: "true" }),
    });
    expect(rebuilt(result), result.stderr).toEqual([]);
    expect(result.stderr).toMatch(/nothing to do/);
  });

  it("reruns nothing when a file is only touched", async () => {
    const now = new Date();
    await utimes(workspace.path("overlay-src/opt/bootsync.sh"), now, now);
    expect(rebuilt(await workspace.build(both))).toEqual([]);
  });

  it("reruns the overlay and what holds it, and nothing else, when one script of it changes", async () => {
    const script = workspace.path("overlay-src/usr/local/bin/rz_mk_init.rb");
    const before = await readFile(script);
    // The version stays: this is about the script alone.
    const fixed = [...both, "--iso-version", version];
    try {
      await appendFile(script, `# edited at ${process.hrtime.bigint()}\n`);
      const isoOnly = await workspace.build(["iso", ...fixed.slice(2)]);
      expect(rebuilt(isoOnly)).toEqual(["overlay", "rebuild-iso"]);
      expect(isoOnly.stderr).toContain("overlay: rebuilt, overlay-src/usr/local/bin/rz_mk_init.rb changed");
      expect(rebuilt(await workspace.build(fixed))).toEqual(["bundle", "overlay-tarball"]);
    } finally {
      await writeFile(script, before);
    }
    const back = await workspace.build(fixed);
    expect(rebuilt(back)).toEqual([]);
    expect(restored(back)).toEqual(["bundle", "overlay", "overlay-tarball", "rebuild-iso"]);
  });

  it("reruns the overlay when a directory without files comes or goes, since the image has it too", async () => {
    const directory = workspace.path("overlay-src/mnt");
    // Its own for each run of this test, since the workspace keeps results.
    const name = `data-${process.hrtime.bigint()}`;
    const iso = ["iso", ...both.slice(2), "--iso-version", version];
    await workspace.build(iso);
    await mkdir(path.join(directory, name), { recursive: true });
    try {
      const built = await workspace.build(iso);
      expect(rebuilt(built)).toEqual(["overlay", "rebuild-iso"]);
      expect(built.stderr).toContain(`empty-directories changed from [] to ["mnt/${name}"]`);
    } finally {
      await rm(directory, { recursive: true });
    }
    expect(restored(await workspace.build(iso))).toEqual(["overlay", "rebuild-iso"]);
  });

  it("builds each variant once, in whatever order they are asked for", async () => {
    const order = [["--dev"], ["--prod"], ["--dev"], ["--debug"]] as const;
    for (const variant of order) await workspace.build([...both, ...variant]);
    for (const variant of order) {
      const again = await workspace.build([...both, ...variant]);
      expect(rebuilt(again), variant[0]).toEqual([]);
      expect(restored(again), variant[0]).toEqual([]);
    }
    const names = await readdir(workspace.path("build-files"));
    for (const variant of ["dev", "prod", "debug"]) {
      expect(names).toContain(`rz_mk_${variant}-image.${version}.iso`);
      expect(names).toContain(`razor-microkernel-bundle-${variant}.tar.gz`);
    }
    // Another test may have built what a network boot needs.
    expect(names.filter((name) => !/\.(iso|tar\.gz)$|-pxe\./.test(name))).toEqual([]);
  });

  it("refuses a build that is to be production and debug", async () => {
    const result = await workspace.task(["iso", "--source", "sample", "-d", "-p"]);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("error: an image has one variant: prod or debug");
  });

  it("brings back a deleted or damaged ISO without building it", async () => {
    const digest = await sha256(iso);
    await rm(iso);
    const result = await workspace.build(both);
    expect(rebuilt(result), result.stderr).toEqual([]);
    expect(restored(result)).toEqual(["rebuild-iso"]);
    expect(await sha256(iso)).toBe(digest);
    await appendFile(iso, "spoilt");
    expect(rebuilt(await workspace.build(both))).toEqual([]);
    expect(await sha256(iso)).toBe(digest);
  });

  it("keeps the host keys of dev images to their owner, the same for every build", async () => {
    for (const name of await readdir(workspace.path("dev-keys"))) {
      const { mode } = await stat(workspace.path(`dev-keys/${name}`));
      if (!name.endsWith(".pub")) expect((mode & 0o777).toString(8), name).toBe("600");
    }
    const key = workspace.path("dev-keys/ssh_host_ed25519_key");
    const before = await readFile(key, "utf8");
    await workspace.build([...both, "--force", "dev-access"]);
    expect(await readFile(key, "utf8")).toBe(before);
  });

  describe("in another directory, as another user, under another umask, time zone and language, from files made in another order and at another time", () => {
    const steps = [
      ...["payload", "payload-tarball", "setup-files", "overlay", "overlay-tarball", "iso-template"],
      ...["rebuild-iso", "bundle"],
    ];
    const forced = (...names: readonly string[]) => names.flatMap((name) => ["--force", name]);
    /** A time that nothing was built with, in an earlier run neither: here and there what carries it is packed anew. */
    const seconds = Math.floor(Date.now() / 1000);
    let copy: Workspace;
    let elsewhere: TaskOptions;

    beforeAll(async () => {
      copy = await copyWorkspace(workspace, path.join(other, "çalışma alanı"));
      await rm(copy.path("build-files"), { recursive: true });
      for (const name of ["overlay-src", "lists"]) await makeBackwards(copy.path(name));
      const locales = path.join(other, "locales");
      await mkdir(locales);
      await workspace.$`localedef -i tr_TR -f UTF-8 ${path.join(locales, "tr_TR.UTF-8")}`;
      await giveToPlainUser(workspace.$, other);
      const language = { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", LOCPATH: locales };
      const env = commandEnvironment({
        HOME: other,
        TZ: "Asia/Kathmandu",
        SOURCE_DATE_EPOCH: `${seconds}`,
        ...language,
      });
      elsewhere = { plainUser: true, umask: "077", env };
      for (const variant of ["--prod", "--dev"]) {
        await workspace.build([...both, variant, "--source-date-epoch", `${seconds}`]);
      }
    });

    afterAll(async () => {
      await workspace.build([...both, "--prod"]);
      await workspace.build(both);
    });

    async function expectSame(variant: string): Promise<void> {
      for (const name of [
        `build-files/rz_mk_${variant}-image.${version}.iso`,
        `build-files/razor-microkernel-bundle-${variant}.tar.gz`,
        `.buildcache/v1/out/${variant}/overlay-tarball/razor-microkernel-overlay.tar.gz`,
      ]) {
        expect(await sha256(copy.path(name)), name).toBe(await sha256(workspace.path(name)));
      }
    }

    it("makes the same ISO, bundle and overlay of the same dev keys, one task at a time", async () => {
      const result = await copy.build(
        [...both, "--dev", "-j", "1", ...forced("dev-access", ...steps)],
        elsewhere,
      );
      expect(rebuilt(result), result.stderr).toEqual(expect.arrayContaining(["dev-access", ...steps]));
      await expectSame("dev");
      const structure = await readIsoStructure(copy.path(`build-files/rz_mk_dev-image.${version}.iso`));
      expect(structure.get("modification time")).toBe(
        `${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-T:]/g, "")}00`,
      );
    });

    it("makes the same production ISO, bundle and overlay, without any dev keys and with others, many tasks at once", async () => {
      await rm(copy.path("dev-keys"), { recursive: true });
      const prod = [...both, "--prod", "-j", "7"];
      const result = await copy.build([...prod, ...forced(...steps)], elsewhere);
      expect(rebuilt(result), result.stderr).toEqual(expect.arrayContaining(steps));
      await expectSame("prod");
      expect(existsSync(copy.path("dev-keys"))).toBe(false);

      await copy.build(["dev-access", "--source", "sample"], elsewhere);
      expect(existsSync(copy.path("dev-keys/ssh_host_ed25519_key"))).toBe(true);
      const again = await copy.build([...prod, ...forced(...steps)], elsewhere);
      expect(rebuilt(again), again.stderr).toEqual([...steps].sort());
      await expectSame("prod");
    });
  });
});

/** Makes the files of a directory anew, the last one first, with times of their own. */
async function makeBackwards(directory: string): Promise<void> {
  const files: { readonly name: string; readonly mode: number; readonly bytes: Buffer }[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.join(entry.parentPath, entry.name);
    files.push({ name, mode: (await stat(name)).mode, bytes: await readFile(name) });
  }
  files.sort((a, b) => (a.name < b.name ? 1 : -1));
  for (const { name } of files) await rm(name);
  for (const [index, { name, mode, bytes }] of files.entries()) {
    await writeFile(name, bytes);
    await chmod(name, mode);
    await utimes(name, 1_000_000_000 + index, 1_000_000_000 + index);
  }
}
