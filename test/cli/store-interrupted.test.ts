/** Publications that end at any moment: by SIGKILL, on a full destination, by a broken connection, or one beside the other. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { type SshServer, startSshServer } from "../support/ssh-server.ts";
import { realProject } from "./real-project.ts";
import { program, put, runTask, startTask } from "./workshop.ts";

usesPrograms("git", "rsync", "flock", "sha256sum", "mount", "umount");

describe("task store", () => {
  let project = "";
  let server: SshServer;
  const at = (name: string): string => path.join(project, name);
  const words = (version: string, to = "out") => ["store", "--to", to, "image.iso", "--iso-version", version];
  const environment = () => ({ GIT_CONFIG_GLOBAL: "/dev/null", PATH: server.path });

  beforeAll(async () => {
    project = await realProject({ kept: true });
    server = await startSshServer();
    mkdirSync(at("out"));
    writeFileSync(at("image.iso"), Buffer.alloc(24_000_000, "an image\n"));
    await publish("1.0.0");
  });
  afterAll(() => server?.close());

  async function publish(version: string, to = "out"): Promise<void> {
    const run = await runTask(project, words(version, to), environment());
    expect(run, run.stderr).toMatchObject({ status: 0 });
  }

  /** The version to which `current` leads; sha256sum finds it whole. */
  function current(destination = at("out")): string {
    const directory = path.join(destination, "current");
    execFileSync("sha256sum", ["--quiet", "-c", "SHA256SUMS"], { cwd: directory });
    return path.basename(readlinkSync(directory));
  }

  it("killed at fifty moments leaves the old release or the new one whole; the next run completes it", async () => {
    const times: number[] = [];
    for (const version of ["1.0.1", "1.0.2", "1.0.3"]) {
      const began = performance.now();
      await publish(version);
      times.push(performance.now() - began);
    }
    const whole = Math.min(...times);
    let last = "1.0.3";
    let killed = 0;
    const moments = 50;
    for (let moment = 1; moment <= moments; moment += 1) {
      const version = `1.1.${moment}`;
      const child = spawn(process.execPath, [program, ...words(version)], {
        cwd: project,
        env: { ...process.env, ...environment() },
        stdio: "ignore",
        detached: true,
      });
      const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
      // Every other time what it started goes on for a while, as when only the program is killed.
      const target = (child.pid ?? 0) * (moment % 2 === 0 ? 1 : -1);
      const timer = setTimeout(() => process.kill(target, "SIGKILL"), (whole * moment) / moments);
      await closed;
      clearTimeout(timer);
      if (child.signalCode === "SIGKILL") killed += 1;
      const found = current();
      expect([last, version], `moment ${moment}`).toContain(found);
      if (moment % 5 !== 0) {
        // The next run may be that of another version.
        last = found;
        continue;
      }
      await publish(version);
      expect(current(), `moment ${moment}`).toBe(version);
      expect(existsSync(at(`out/releases/${version}.partial`))).toBe(false);
      last = version;
    }
    expect(killed).toBeGreaterThan(moments / 2);
  }, 400_000);

  it("on a destination that fills up at any point keeps the old release; with space, the next run completes it", async () => {
    const target = at("small disk");
    mkdirSync(target);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,nr_inodes=200", "tmpfs", target]);
    // Only root may mount.
    if (mounted.status !== 0) return;
    try {
      put(project, "small.iso", "s".repeat(40_000));
      const small = (version: string) => ["store", "--to", target, "small.iso", "--iso-version", version];
      expect((await runTask(project, small("1.0.0"), environment())).status).toBe(0);
      const failures = new Set<string>();
      // Inodes bound the steps that make a file or a link, blocks those that write.
      for (const limit of [
        "nr_inodes=12",
        "nr_inodes=14",
        "nr_inodes=17",
        "size=52k",
        "size=80k",
        "size=96k",
      ]) {
        const version = `1.1.${limit.replace(/\D/g, "")}`;
        const before = current(target);
        spawnSync("mount", ["-o", `remount,${limit}`, target]);
        const run = await runTask(project, small(version), environment());
        if (run.status !== 0) {
          expect(run.stderr, limit).toMatch(/the destination is full.*\[store-full\]/);
          expect(current(target), limit).toBe(before);
          failures.add(limit);
        }
        spawnSync("mount", ["-o", "remount,size=1m,nr_inodes=400", target]);
        expect((await runTask(project, small(version), environment())).status).toBe(0);
        expect(current(target), limit).toBe(version);
        // Room is counted from here for the next limit.
        for (const name of ["releases/1.0.0", `releases/${before}`])
          if (!name.endsWith(version)) rmSync(path.join(target, name), { recursive: true, force: true });
      }
      expect(failures.size).toBeGreaterThan(2);
    } finally {
      spawnSync("umount", ["-l", target]);
    }
  }, 120_000);

  it("publishes through a real sshd; a second one waits there, and says for whom", async () => {
    mkdirSync(at("far away"));
    const there = `there:${at("far away")}`;
    const gate = at("gate");
    execFileSync("mkfifo", [gate]);
    server.before("rsync", `cat '${gate}'`);
    const first = startTask(project, words("1.0.0", there), environment());
    await expect.poll(() => existsSync(at("far away/releases/.owner")), { timeout: 20_000 }).toBe(true);
    const second = startTask(project, words("1.1.0", there), environment());
    let said = "";
    second.child.stderr?.on("data", (chunk) => (said += chunk));
    await expect
      .poll(() => said, { timeout: 20_000 })
      .toMatch(/waiting for store 1\.0\.0 \(process \d+ on .+\)/);
    expect(said).toContain(`process ${first.child.pid} `);
    server.before("rsync", "");
    writeFileSync(gate, "");
    expect((await first.done).status).toBe(0);
    const run = await second.done;
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(current(at("far away"))).toBe("1.1.0");
    const verified = await runTask(project, ["store", "--verify", there], environment());
    expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining("is whole, ") });
    const again = await runTask(project, words("1.1.0", there), environment());
    expect(again.stdout).toMatch(/^1\.1\.0 is already published/);
  }, 120_000);

  it("leaves the old release when sshd's connection breaks while files are copied", async () => {
    const there = `there:${at("far away")}`;
    server.before("rsync", server.breakConnection);
    const run = await runTask(project, words("1.2.0", there), environment());
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/\[store-failed\]/);
    expect(run.stderr).toMatch(/hint: run the same command again/);
    expect(current(at("far away"))).toBe("1.1.0");
    server.before("rsync", "");
    await publish("1.2.0", there);
    expect(current(at("far away"))).toBe("1.2.0");
  }, 120_000);

  it("moves no byte of an unchanged release", async () => {
    const files = () => execFileSync("find", [at("out"), "-printf", "%p %i %T@ %C@\n"], { encoding: "utf8" });
    const version = current();
    await publish(version);
    const before = files().replace(/^.*\/releases\/\.owner .*\n/m, "");
    await publish(version);
    expect(files().replace(/^.*\/releases\/\.owner .*\n/m, "")).toBe(before);
    expect(readFileSync(at("out/current/SHA256SUMS"), "utf8")).toContain("  image.iso\n");
  });
});
