/** Backups: a project restored from one builds the same image without a network. */
import { existsSync } from "node:fs";
import {
  appendFile,
  cp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { addLocalSource, sampleMirror } from "./local-source.ts";
import {
  makeDirectory,
  makeWorkspace,
  openWorkspace,
  removeDirectory,
  sha256,
  type Workspace,
} from "./workspace.ts";

usesPrograms("tar", "sha256sum");

describe("a backup", () => {
  let directory = "";
  let workspace: Workspace;
  let server: Server;
  const version = "1.2.0";
  const options = ["--prod", "--source", "local", "--iso-version", version];
  const name = `build-files/rz_mk_prod-backup.${version}.tar`;
  const iso = `build-files/rz_mk_prod-image.${version}.iso`;

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["fetch-iso", "--source", "sample"]);
    directory = await makeDirectory("backup");
    server = await serveDirectory(sampleMirror(built));
    workspace = await makeWorkspace(directory, "the workspace");
    await addLocalSource(workspace, server.url, sampleMirror(built));
    // git ignores both.
    await writeFile(workspace.path("private.pem"), "not for others\n");
    await appendFile(workspace.path(".gitignore"), "private.pem\n");
  }, 600_000);

  afterAll(async () => {
    await server?.close();
    await removeDirectory(directory);
  });

  const entries = async () =>
    (await workspace.$`tar -tf ${workspace.path(name)}`).stdout.trimEnd().split("\n");

  it("is refused, with what to do, while downloads are missing", async () => {
    // Pins without downloads, as in a fresh clone.
    await workspace.build(["iso", ...options]);
    const store = workspace.path(".buildcache/v1/store");
    await rename(store, path.join(directory, "store"));
    const { status, stderr } = await workspace.task(["backup", ...options]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/error: \d+ of \d+ downloads are not in the cache.*\[backup-incomplete\]/);
    expect(stderr).toMatch(/hint: build the image first/);
    expect(existsSync(workspace.path(name))).toBe(false);
    await rm(store, { recursive: true, force: true });
    await rename(path.join(directory, "store"), store);
  });

  it("has the project, the downloads that the lock names and the image, for the owner only", async () => {
    const { stdout } = await workspace.build(["backup", ...options]);
    expect(stdout).toMatch(/^build-files\/rz_mk_prod-backup\.1\.2\.0\.tar {2}[\d.]+ MB, \d+ downloads$/m);
    expect((await stat(workspace.path(name))).mode & 0o777).toBe(0o600);
    const names = await entries();
    expect(names).toEqual(
      expect.arrayContaining([
        ...["project/Taskfile.ts", "project/lists/sources.lock.json", "project/overlay-src/opt/bootsync.sh"],
        ...[`artifacts/rz_mk_prod-image.${version}.iso`, "project/rebuild.conf", "SHA256SUMS"],
      ]),
    );
    expect(names.filter((one) => /private\.pem|node_modules|\.git\/|\.buildcache/.test(one))).toEqual([]);
    const lock = await readFile(workspace.path("lists/sources.lock.json"), "utf8");
    const pinned = [...lock.matchAll(/"sha256":"([0-9a-f]{64})"/g)].map(
      ([, digest]) => `downloads/${digest}`,
    );
    expect(names.filter((one) => /^downloads\/./.test(one))).toEqual([...new Set(pinned)].sort());
  });

  it("is checked by sha256sum alone, and has the same bytes when it is made again", async () => {
    const before = await sha256(workspace.path(name));
    await workspace.build(["backup", ...options]);
    expect(await sha256(workspace.path(name))).toBe(before);
    const unpacked = path.join(directory, "unpacked");
    await workspace.$`mkdir ${unpacked}`;
    await workspace.$`tar -xf ${workspace.path(name)} -C ${unpacked}`;
    await workspace.$({ cwd: unpacked })`sha256sum --quiet -c SHA256SUMS`;
    await rm(unpacked, { recursive: true });
  });

  it("brings a project that builds the same image offline", async () => {
    const target = path.join(directory, "restored", "here");
    const { stdout } = await workspace.build(["backup", "--restore", workspace.path(name), target]);
    expect(stdout).toMatch(/next:\n {2}cd .* && npm ci\n {2}npx task iso --config rebuild\.conf --offline\n/);
    await symlink(workspace.path("node_modules"), path.join(target, "node_modules"));
    await server.close();
    await workspace.build(["iso", "--config", "rebuild.conf", "--offline"], { cwd: target });
    expect(await sha256(path.join(target, iso))).toBe(await sha256(workspace.path(iso)));
  }, 300_000);

  it("is refused when it is damaged or no backup, and nothing is left", async () => {
    const damaged = path.join(directory, "damaged.tar");
    await cp(workspace.path(name), damaged);
    const handle = await open(damaged, "r+");
    const at = (await readFile(damaged)).indexOf("import { taskfile }");
    await handle.write("I", at);
    await handle.close();
    const restored = path.join(directory, "broken");
    const first = await workspace.task(["backup", "--restore", damaged, restored]);
    expect([first.status, first.stderr]).toEqual([
      1,
      expect.stringMatching(/project\/Taskfile\.ts differs from its digest \[backup-damaged\]/),
    ]);
    const other = path.join(directory, "other.tar");
    await workspace.$`tar -cf ${other} -C ${workspace.root} lists`;
    const second = await workspace.task(["backup", "--restore", other, restored]);
    expect([second.status, second.stderr]).toEqual([1, expect.stringMatching(/\[not-a-backup\]/)]);
    const third = await workspace.task(["backup", "--restore", path.join(directory, "no.tar"), restored]);
    expect([third.status, third.stderr]).toEqual([1, expect.stringMatching(/\[unreadable-file\]/)]);
    expect((await readdir(directory)).filter((one) => one.startsWith("broken"))).toEqual([]);
  });

  it("is not restored over files, nor made of files from elsewhere", async () => {
    const there = await workspace.task(["backup", "--restore", workspace.path(name), workspace.root]);
    expect([there.status, there.stderr]).toEqual([1, expect.stringMatching(/is not empty \[not-empty\]/)]);
    const list = path.join(directory, "elsewhere.lst");
    await writeFile(list, "bash.tcz\n");
    const outside = await workspace.task(["backup", ...options, "-b", list]);
    expect([outside.status, outside.stderr]).toEqual([
      1,
      expect.stringMatching(
        /reads a file that is not part of the project \[backup-incomplete\]\n +where: .*elsewhere\.lst/,
      ),
    ]);
  });
});
