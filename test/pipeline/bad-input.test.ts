/** What the command says, and what it leaves alone, when something is wrong with what it is given. */
import { createHash } from "node:crypto";
import { cp, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { addLocalSource, sampleMirror } from "./local-source.ts";
import {
  commandEnvironment,
  makeDirectory,
  makeWorkspace,
  openWorkspace,
  removeDirectory,
  type TaskOptions,
  type TaskResult,
  type Workspace,
} from "./workspace.ts";

usesPrograms("mount", "umount", "xorriso");

const tcz = "14.x/x86_64/tcz";

describe("given bad input", () => {
  let directory = "";
  let workspace: Workspace;
  let pristine = "";
  let mirror = "";
  let server: Server;
  let artifacts: readonly string[] = [];
  let tests = 0;
  let lock = "";

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["fetch-iso", "--source", "sample"]);
    directory = await makeDirectory("bad input");
    pristine = path.join(directory, "pristine");
    await cp(sampleMirror(built), pristine, { recursive: true });
    mirror = path.join(directory, "mirror");
    await mkdir(mirror);
    server = await serveDirectory(mirror);

    workspace = await makeWorkspace(directory, "the workspace");
    await addLocalSource(workspace, server.url, pristine);
    await restore();
    await workspace.build(["iso", "bundle", "--prod", "--source", "local", "--lock", "good.lock.json"]);
    artifacts = await listArtifacts();
    expect(artifacts).toHaveLength(2);
  });

  afterAll(async () => {
    await server?.close();
    await removeDirectory(directory);
  });

  beforeEach(() => {
    tests += 1;
    // Nothing is pinned yet: everything is fetched and looked at.
    lock = `test-${tests}.lock.json`;
  });

  afterEach(async () => {
    expect(await listArtifacts()).toEqual(artifacts);
    await restore();
  });

  /** Makes the mirror what it was, without copying a byte. */
  async function restore(): Promise<void> {
    for (const name of await readdir(mirror)) await rm(path.join(mirror, name), { recursive: true });
    for (const entry of await readdir(pristine, { recursive: true, withFileTypes: true })) {
      const name = path.relative(pristine, path.join(entry.parentPath, entry.name));
      if (entry.isDirectory()) await mkdir(path.join(mirror, name), { recursive: true });
      else {
        await mkdir(path.dirname(path.join(mirror, name)), { recursive: true });
        await link(path.join(pristine, name), path.join(mirror, name));
      }
    }
  }

  /** Replaces a file of the mirror; the pristine one, which shares its bytes, stays. */
  async function put(name: string, content: string | Buffer): Promise<void> {
    await rm(path.join(mirror, name), { force: true });
    await writeFile(path.join(mirror, name), content);
  }

  /** Name, size, time and digest of everything below build-files, hidden and half-written files too. */
  async function listArtifacts(): Promise<readonly string[]> {
    const names = (await readdir(workspace.path("build-files"))).sort();
    const describeFile = async (name: string) => {
      const file = workspace.path(`build-files/${name}`);
      const digest = createHash("sha256").update(await readFile(file));
      return `${name} ${(await stat(file)).size} ${digest.digest("hex")}`;
    };
    return await Promise.all(names.map(describeFile));
  }

  function run(args: readonly string[], options?: TaskOptions): Promise<TaskResult> {
    return workspace.task(["iso", "--prod", "--source", "local", "--lock", lock, ...args], options);
  }

  /** One message, without a stack, with an exit status that says whose mistake it is. */
  function expectFailure(result: TaskResult, status: number, ...parts: readonly (string | RegExp)[]): void {
    expect(result.status, result.stderr).toBe(status);
    for (const part of parts) {
      if (typeof part === "string") expect(result.stderr).toContain(part);
      else expect(result.stderr).toMatch(part);
    }
    expect(result.stderr.match(/^error: /gm), result.stderr).toHaveLength(1);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.stderr).not.toContain("a bug in razor-mk");
    expect(result.stdout).toBe("");
  }

  it("names the flag and the value of a list that cannot be read", async () => {
    expectFailure(await run(["-b", "no/such.lst"]), 2, "--builtin-list no/such.lst", "hint:");
    expectFailure(await run(["--mirror-list=nor this.lst"]), 2, "--mirror-list nor this.lst", "hint:");
  });

  it("names the list and the line of an extension that the mirror does not have", async () => {
    await writeFile(workspace.path("mine.lst"), "# mine\nbash.tcz\nlswh.tcz\n");
    const result = await run(["-b", "mine.lst"]);
    expectFailure(result, 1, "error: fetch-tcz", "lswh.tcz", "mine.lst:3", "lshw.tcz");
  });

  it("names what util-linux.tcz has instead of a file that it has not", async () => {
    const listed = async (text: string) => {
      await writeFile(workspace.path("mine-util.lst"), text);
      return await run(["--util-linux-list", "mine-util.lst"]);
    };
    const moved = await listed("usr/local/sbin/sfdisk\nusr/bin/lscpu\n");
    expectFailure(moved, 1, "error: extract-util-linux", "mine-util.lst:2", "it has usr/local/bin/lscpu");
    const mistyped = await listed("usr/local/bin/lscpuu\n");
    expectFailure(mistyped, 1, "mine-util.lst:1", "did you mean lscpu?");
  });

  it("refuses an extension whose md5 is not the mirror's", async () => {
    const bytes = await readFile(path.join(mirror, tcz, "bash.tcz"));
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    await put(`${tcz}/bash.tcz`, bytes);
    expectFailure(await run([]), 1, "error: fetch-tcz", "bash.tcz", /md5/i, `${server.url}/${tcz}/bash.tcz`);
  });

  it("refuses a page that stands where an extension should be", async () => {
    await put(`${tcz}/lshw.tcz`, "<!DOCTYPE html>\n<html><body>Not found</body></html>\n");
    expectFailure(await run([]), 1, "lshw.tcz", `${server.url}/${tcz}/lshw.tcz`, /HTML|page/);
  });

  it("refuses a page that stands where the Core ISO should be", async () => {
    await writeFile(path.join(mirror, "core.iso"), "<html><body>Come back later</body></html>\n");
    const url = `${server.url}/core.iso`;
    expectFailure(await run(["--tcl-iso-url", url]), 1, "error: fetch-iso", url, /HTML|page/);
  });

  it("refuses an ISO that has no Core in it, and says what it looked for", async () => {
    const root = path.join(directory, "other iso");
    await mkdir(path.join(root, "boot"), { recursive: true });
    await writeFile(path.join(root, "boot/vmlinuz"), "kernel");
    const iso = path.join(directory, "other.iso");
    await workspace.$`xorriso -as mkisofs -quiet -o ${iso} -r ${root}`;
    const bytes = await readFile(iso);
    await put("other.iso", bytes);
    await put("other.iso.md5.txt", `${createHash("md5").update(bytes).digest("hex")}  other.iso\n`);
    const url = `${server.url}/other.iso`;
    expectFailure(
      await run(["--tcl-iso-url", url]),
      1,
      "error: fetch-iso",
      ...["boot/core.gz", "boot/corepure64.gz", url, "hint:"],
    );
  });

  it("names the sample source and the proxy variables when the mirror cannot be reached", async () => {
    const gone = await serveDirectory(mirror);
    await gone.close();
    const result = await run(["--tcl-mirror-uri", gone.url]);
    expectFailure(result, 1, gone.url, "--source sample", /https?_proxy/i);
  });

  it("says which package has a host tool that is missing", async () => {
    const tools = path.join(directory, "tools");
    await mkdir(tools);
    const needed = ["node", "git", "bash", "sh", "env", "unsquashfs", "mksquashfs", "openssl", "ps"];
    for (const tool of needed) {
      const found = await workspace.$({ nothrow: true })`sh -c ${'command -v "$1"'} sh ${tool}`;
      if (found.exitCode === 0) await symlink(found.stdout.trim(), path.join(tools, tool));
    }
    const result = await run([], { env: { ...commandEnvironment(), PATH: tools } });
    expectFailure(result, 1, "xorriso", "apt-get install xorriso", "dnf install");
  });

  it("explains that a production image has no password", async () => {
    const result = await run(["-t", "geheim"]);
    expectFailure(result, 2, "production", "-t/--tc-passwd");
    expect(result.stderr).not.toContain("geheim");
  });

  it.each(["1/2", "", "a b", "x".repeat(65), "-1"])("refuses %j as a version", async (text) => {
    expectFailure(await run([`--iso-version=${text}`]), 2, /version/);
  });

  it("leaves nothing half-written when the disk is full, and says so", async (context) => {
    const before = path.join(directory, "build-files");
    await cp(workspace.path("build-files"), before, { recursive: true });
    const at = workspace.path("build-files");
    // Room for what is there, not for another ISO.
    const size = artifacts.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0) + 20 * 1024 * 1024;
    const mounted = await workspace.$({ nothrow: true })`mount -t tmpfs -o size=${size} tmpfs ${at}`;
    if (mounted.exitCode !== 0) return context.skip("no file system can be mounted here");
    try {
      await cp(before, at, { recursive: true });
      expectFailure(await run(["--iso-version", "7.7.7", "--lock", "good.lock.json"]), 1, /space/);
      expect(await listArtifacts()).toEqual(artifacts);
    } finally {
      await workspace.$`umount ${at}`;
    }
  });
});
