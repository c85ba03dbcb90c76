/** An image with accounts of its own, booted: a user logs in by key through the port that `task boot --ssh` forwards. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import {
  commandEnvironment,
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("mksquashfs", "openssl", "qemu-system-x86_64", "ssh", "ssh-keygen", "unshare");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;

describe("a dev image with lists/accounts.yaml", () => {
  let directory = "";
  let workspace: Workspace;
  let machine: ChildProcess | undefined;
  const iso = () => workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
  const build = () => workspace.build(["iso", "--source", "sample", "--iso-version", version]);

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["iso", "--source", "sample", "--iso-version", version]);
    directory = await makeDirectory("accounts");
    workspace = await copyWorkspace(built, path.join(directory, "the workspace"));
    execFileSync("ssh-keygen", [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      "eve",
      "-f",
      path.join(directory, "key"),
    ]);
  }, 600_000);

  afterAll(async () => {
    if (machine?.exitCode === null) {
      const ended = once(machine, "exit");
      machine.kill("SIGINT");
      await ended;
    }
    await removeDirectory(directory);
  });

  it("is built again in two steps when an account changes, and says which file did it", async () => {
    const hash = execFileSync("openssl", ["passwd", "-6", "-salt", "saltsalt", "of eve"], {
      encoding: "utf8",
    }).trim();
    const key = readFileSync(path.join(directory, "key.pub"), "utf8").trim();
    writeFileSync(
      workspace.path("lists/accounts.yaml"),
      `users:\n  - name: eve\n    password: {hash: "${hash}"}\n    keys: ["${key}"]\n    sudo: nopasswd\n`,
    );
    const { stderr } = await build();
    expect(stderr).toMatch(/overlay: rebuilt, lists\/accounts\.yaml added/);
    expect(stderr).toMatch(/done: 2 rebuilt/);
    const { stdout } = await workspace.build(["ls", iso(), "home/eve/.ssh/authorized_keys", "etc/sudoers"]);
    expect(stdout).toMatch(/^-rw-{7} +1002:50 .* home\/eve\/\.ssh\/authorized_keys$/m);
    expect(stdout).toMatch(/^-r--r-{5} +0:0 .* etc\/sudoers$/m);
  });

  it("may have programs of its own and edits, too", async () => {
    const write = (name: string, text: string, mode = 0o644): void => {
      mkdirSync(path.dirname(workspace.path(name)), { recursive: true });
      writeFileSync(workspace.path(name), text, { mode });
    };
    write("extensions/hello/tree/usr/local/bin/hello", "#!/bin/sh\necho hello\n", 0o755);
    write(
      "extensions/hello/installed",
      "#!/bin/sh\n/usr/local/bin/hello >/tmp/hello.started\nsu tc -c 'touch /home/tc/mine'\n",
    );
    appendFileSync(workspace.path("lists/builtin-extensions.lst"), "hello.tcz\n");
    write("edits/mark.sh", "echo of the build >/etc/mark\n");
    write("lists/edits.yaml", "- run: mark.sh\n- append: {file: etc/mark, text: edited}\n");
    await build();
  });

  it("lets the user in by key, who owns the home, and has the programs and the edits", async () => {
    machine = spawn(process.execPath, [workspace.path("bin/task.js"), "boot", iso(), "--ssh"], {
      cwd: workspace.root,
      env: commandEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [machine.stdout, machine.stderr])
      stream?.on("data", (bytes: Buffer) => {
        printed += bytes.toString("latin1");
      });
    await expect
      .poll(() => printed, { timeout: patience })
      .toMatch(/when it is up: ssh -p \d+ tc@127\.0\.0\.1/);
    const port = /ssh -p (\d+)/.exec(printed)?.[1] ?? "";
    const options = [
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "BatchMode=yes",
      "ConnectTimeout=5",
    ];
    const ssh = (command: string) =>
      spawnSync(
        "ssh",
        [
          ...options.flatMap((one) => ["-o", one]),
          "-i",
          path.join(directory, "key"),
          "-p",
          port,
          "eve@127.0.0.1",
          command,
        ],
        { encoding: "utf8", timeout: 60_000 },
      );
    const until = Date.now() + patience;
    let last = ssh("id -un; touch mine && stat -c '%U %G' mine");
    // The forwarded port is open before sshd is.
    while (last.status !== 0 && Date.now() < until) {
      await pause(1000);
      last = ssh("id -un; touch mine && stat -c '%U %G' mine");
    }
    expect(last.stdout).toBe("eve\neve staff\n");
    const seen = ssh("hello; cat /tmp/hello.started /etc/mark; stat -c '%U %G' /home/tc/mine");
    expect(seen.stdout).toBe("hello\nhello\nof the build\nedited\ntc staff\n");
  }, 900_000);

  it("has passwords of files and drawn ones as hashes, and no record of them but the file that is named", async () => {
    const list = workspace.path("lists/accounts.yaml");
    const before = readFileSync(list, "utf8");
    writeFileSync(workspace.path("bob.secret"), "of bob, secretly\n");
    writeFileSync(
      list,
      "users:\n  - {name: ann, password: {random: 16}}\n  - {name: bob, password: {file: bob.secret}}\n",
    );
    const { stderr } = await build();
    expect(stderr).toContain("note: build-files/passwords.dev has the passwords that were drawn");
    const drawn = workspace.path("build-files/passwords.dev");
    expect(statSync(drawn).mode & 0o777).toBe(0o600);
    const [, password = ""] = /^ann ([a-z2-9]{16})\n$/.exec(readFileSync(drawn, "utf8")) ?? [];
    const { stdout: shadow } = await workspace.build(["cat", iso(), "etc/shadow"]);
    for (const [name, text] of Object.entries({ ann: password, bob: "of bob, secretly" })) {
      const [, hash = "", salt = ""] =
        new RegExp(`^${name}:(\\$6\\$([^$]+)\\$[^:]+):`, "m").exec(shadow) ?? [];
      const expected = execFileSync("openssl", ["passwd", "-6", "-salt", salt, text], { encoding: "utf8" });
      expect(hash).toBe(expected.trim());
    }
    const records = readFileSync(workspace.path(".buildcache/v1/stamps.log"), "latin1");
    expect(records).not.toContain("of bob, secretly");
    expect(records).not.toContain(password);
    rmSync(drawn);
    await build();
    expect(readFileSync(drawn, "utf8")).toBe(`ann ${password}\n`);
    rmSync(workspace.path("bob.secret"));
    const { status, stderr: said } = await workspace.task(["overlay", "--source", "sample"]);
    expect([status, said]).toEqual([
      1,
      expect.stringMatching(/there is no file bob\.secret \[accounts\]\n *where: lists\/accounts\.yaml:3/),
    ]);
    writeFileSync(list, before);
    await build();
  });

  it("is no production image while anything gives an account a password", async () => {
    writeFileSync(
      workspace.path("lists/edits.yaml"),
      '- replace: {file: etc/shadow, regex: "^root:[^:]*:", with: "root:$6$salt$hash:"}\n',
    );
    writeFileSync(workspace.path("lists/accounts.yaml"), "users: [{name: eve, password: locked}]\n");
    const { status, stderr } = await workspace.task(["overlay", "--source", "sample", "--prod"]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/root has a password or an empty one.*\[password-in-prod\]/),
    ]);
    rmSync(workspace.path("lists/edits.yaml"));
    await workspace.build(["overlay", "--source", "sample", "--prod"]);
  });
});
