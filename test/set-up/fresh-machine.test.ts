/** The fresh machine in which the README's commands are tried: what it carries over, and that it leaves nothing behind. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { carryOver } from "../../bin/network-settings.mjs";

const checkout = path.resolve(import.meta.dirname, "../..");
const home = mkdtempSync(path.join(tmpdir(), "razor mk machine "));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const canMake =
  process.getuid?.() === 0 &&
  existsSync("/usr/bin/apt-get") &&
  spawnSync("unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "true"]).status === 0;

describe("what a fresh machine is given of the host", () => {
  it("replaces what is there, and goes through no symlink to the host's own files", () => {
    const directory = path.join(home, "carried");
    const root = path.join(directory, "root");
    const host = path.join(directory, "host");
    mkdirSync(path.join(root, directory), { recursive: true });
    mkdirSync(host);
    writeFileSync(path.join(host, "precious"), "precious");
    writeFileSync(path.join(directory, "settings"), "of the host");
    symlinkSync(path.join(host, "precious"), path.join(root, directory, "settings"));
    carryOver(root, path.join(directory, "settings"));
    expect(readFileSync(path.join(root, directory, "settings"), "utf8")).toBe("of the host");
    symlinkSync(host, path.join(root, "way-out"));
    carryOver(root, path.join(directory, "settings"), "/way-out/precious");
    expect(readFileSync(path.join(host, "precious"), "utf8")).toBe("precious");
  });
});

describe.skipIf(!canMake)("a fresh machine", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "that %s ends while it is made leaves no process, no mount and no directory behind",
    async (signal) => {
      const directory = path.join(home, signal);
      const programs = path.join(directory, "programs");
      const machines = path.join(directory, "machines");
      for (const one of [programs, machines]) mkdirSync(one, { recursive: true });
      // In place of the real one, which would take a minute: it mounts something, says so, and goes on for ever.
      writeFileSync(
        path.join(programs, "mmdebstrap"),
        `#!/bin/sh\nfor root; do case $root in */razor-mk-machine-*) break;; esac; done\nmkdir -p "$root/proc"\n` +
          `mount -t tmpfs none "$root/proc"\necho made > "$root/made"\nexec sleep 1234567\n`,
      );
      chmodSync(path.join(programs, "mmdebstrap"), 0o755);
      const child = spawn(process.execPath, [path.join(checkout, "bin/fresh.mjs"), "true"], {
        env: { ...process.env, PATH: `${programs}:${process.env.PATH}`, TMPDIR: machines },
        stdio: "ignore",
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      const isMade = () =>
        readdirSync(machines).some((name) => existsSync(path.join(machines, name, "made")));
      while (!isMade() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill(signal);
      expect(await ended).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
      expect(readdirSync(machines)).toEqual([]);
      expect(readFileSync("/proc/mounts", "utf8")).not.toContain(machines.replaceAll(" ", "\\040"));
      const left = readdirSync("/proc").filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, "utf8").includes(machines);
        } catch {
          return false;
        }
      });
      expect(left).toEqual([]);
    },
    60_000,
  );
});

describe("where a fresh machine cannot be made", () => {
  it.skipIf(process.getuid?.() !== 0)("the reason is said, and nothing is half-made", () => {
    const machines = path.join(home, "none");
    mkdirSync(machines);
    chmodSync(home, 0o755);
    // The checkout may lie where only root may read.
    cpSync(path.join(checkout, "bin"), path.join(home, "bin"), { recursive: true });
    const words = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath];
    const run = spawnSync("setpriv", [...words, path.join(home, "bin/fresh.mjs"), "true"], {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: machines },
    });
    expect(run.status, run.stderr).toBe(1);
    expect(run.stderr).toMatch(
      /^error: a fresh machine cannot be made: this needs root \[fresh-machine\]\n {2}hint: /,
    );
    expect(readdirSync(machines)).toEqual([]);
  });
});
