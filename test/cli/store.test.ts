/**
 * The command `store` in a project, with the programs that a user would check a release with: sha256sum, gpg, minisign.
 * Options of gpg and its states are those of gpg(1) and of doc/DETAILS in GnuPG's sources; minisign reads the password from
 * its standard input (minisign, pull request 148).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { realProject } from "./real-project.ts";
import { program, put, runTask, startTask } from "./workshop.ts";

usesPrograms("git", "gpg", "gpgconf", "minisign", "rsync", "flock", "sha256sum");

describe("task store", () => {
  let project = "";
  let gnupg = "";
  const env = () => ({ GIT_CONFIG_GLOBAL: "/dev/null", GNUPGHOME: gnupg });
  const task = (...words: readonly string[]) => runTask(project, words, env());
  const gpg = (...args: readonly string[]): string =>
    execFileSync("gpg", ["--batch", "--quiet", ...args], {
      env: { ...process.env, GNUPGHOME: gnupg },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const git = (...args: readonly string[]) =>
    execFileSync("git", [...["-c", "user.name=tests", "-c", "user.email=tests@localhost"], ...args], {
      cwd: project,
    });
  const at = (name: string): string => path.join(project, name);
  const current = (destination: string): string => {
    execFileSync("sha256sum", ["--quiet", "-c", "SHA256SUMS"], { cwd: at(`${destination}/current`) });
    return path.basename(readlinkSync(at(`${destination}/current`)));
  };
  /** With a password on file descriptor 3. */
  const withPassword = (password: string, ...words: readonly string[]) => {
    writeFileSync(at("password"), `${password}\n`);
    const line = `exec "$0" "$@" --password-fd 3 3<password`;
    return spawnSync("sh", ["-c", line, process.execPath, program, ...words], {
      cwd: project,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env() },
      encoding: "utf8",
    });
  };

  beforeAll(async () => {
    project = await realProject({ kept: true });
    // A socket's path has at most 108 bytes (unix(7)).
    gnupg = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
    put(project, "image.iso", "an image\n");
    mkdirSync(at("out"));
    git("init", "-q", "-b", "main");
    git("add", "lists");
    git("commit", "-q", "-m", "Begin");
    for (const [name, password, expiry] of [
      ["open", "", "0"],
      ["locked", "s3cret", "0"],
      ["old", "", "seconds=1"],
    ] as const) {
      const unlock = ["--pinentry-mode", "loopback", "--passphrase", password];
      gpg(...unlock, "--quick-gen-key", `${name} <${name}@localhost>`, "ed25519", "sign", expiry);
    }
    gpg("--armor", "--output", at("key.asc"), "--export", "open@localhost");
    gpg("--armor", "--output", at("other.asc"), "--export", "locked@localhost");
    execFileSync("minisign", ["-G", "-p", at("mini.pub"), "-s", at("mini.key")], {
      input: "s3cret\ns3cret\n",
      stdio: ["pipe", "ignore", "ignore"],
    });
  });
  afterAll(() => {
    spawnSync("gpgconf", ["--kill", "all"], { env: { ...process.env, GNUPGHOME: gnupg } });
    rmSync(gnupg, { recursive: true, force: true });
  });

  it("shows everything with --dry-run, and writes nothing", async () => {
    const run = await task(
      "store",
      "--to",
      "out",
      "image.iso",
      "--iso-version",
      "1.0.0",
      "--sign",
      "gpg:open",
      "-n",
    );
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(run.stdout).toMatch(
      /would publish 1\.0\.0 in .*\n {2}[0-9a-f]{64} {2}image\.iso\nwould sign SHA256SUMS/,
    );
    expect(run.stdout).toMatch(/The first release here\.\nwould switch current from nothing to 1\.0\.0\n/);
    expect(existsSync(at("out/releases"))).toBe(false);
  });

  it("publishes, signed by gpg; a second run does nothing; other content of that version is refused", async () => {
    const words = [
      "store",
      "--to",
      "out",
      "image.iso",
      "--iso-version",
      "1.0.0",
      "--sign",
      "gpg:open@localhost",
    ];
    const run = await task(...words);
    expect(run, run.stderr).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^1\.0\.0 is published in/),
    });
    expect(current("out")).toBe("1.0.0");
    const sums = at("out/current/SHA256SUMS");
    gpg("--verify", `${sums}.asc`, sums);
    const signature = readFileSync(`${sums}.asc`, "utf8");
    expect((await task(...words)).stdout).toMatch(/^1\.0\.0 is already published in/);
    expect(readFileSync(`${sums}.asc`, "utf8")).toBe(signature);
    put(project, "image.iso", "another image\n");
    const other = await task(...words);
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(
      /release 1\.0\.0 is published already, with other content \[release-exists\]/,
    );
    expect(current("out")).toBe("1.0.0");
  });

  it("tells the changes since the last release: commits, and downloads new and gone", async () => {
    put(project, "a.lock.json", lockOf("bash.tcz"));
    put(project, "b.lock.json", lockOf("curl.tcz"));
    const store = (version: string, lock: string) =>
      task("store", "--to", "out", "image.iso", "--iso-version", version, "--lock", lock);
    expect((await store("1.1.0", "a.lock.json")).status).toBe(0);
    git("commit", "-q", "--allow-empty", "-m", "Greet by name");
    expect((await store("1.2.0", "b.lock.json")).status).toBe(0);
    expect(readFileSync(at("out/current/CHANGELOG"), "utf8")).toBe(
      "1.2.0\n\nChanges since 1.1.0:\n\nCommits\n- Greet by name\n\nDownloads\n- curl.tcz: new, 5 bytes\n- bash.tcz: no longer used\n",
    );
    expect(current("out")).toBe("1.2.0");
  });

  it("signs with minisign, with a password from a file descriptor; --verify checks it as minisign does", async () => {
    const words = [
      "store",
      "--to",
      "out",
      "image.iso",
      "--iso-version",
      "2.0.0",
      "--sign",
      "minisign:mini.key",
    ];
    const run = withPassword("s3cret", ...words);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    execFileSync("minisign", ["-Vm", at("out/current/SHA256SUMS"), "-p", at("mini.pub")]);
    const good = await task("store", "--verify", "out", "--public-key", "mini.pub");
    expect(good).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/is whole.*its signature is good/),
    });
    expect((await task("store", "--verify", "out")).stdout).toContain("its signature was not checked");
    const wrong = await task("store", "--verify", "out", "--public-key", "key.asc");
    expect(wrong.stderr).toMatch(/has no gpg signature \[signature-invalid\]/);
  });

  it.each([
    [
      "an unknown key",
      "gpg:nobody@localhost",
      undefined,
      /gpg has no secret key "nobody@localhost" \[signing-key\]/,
    ],
    [
      "an expired key",
      "gpg:old@localhost",
      undefined,
      /"old@localhost" cannot sign: it has expired.*\[signing-key-expired\]/,
    ],
    ["a wrong password", "gpg:locked@localhost", "wrong", /Bad passphrase \[signing-key-locked\]/],
    ["a wrong password", "minisign:mini.key", "wrong", /wrong password \[signing-key-locked\]/],
    [
      "an unknown key",
      "minisign:none.key",
      "any",
      /minisign has no secret key ".*none\.key" \[signing-key\]/,
    ],
    ["no key", "pgp:me", "any", /--sign is "pgp:me", which names no key \[signing-key\]/],
  ] as const)("with %s (%s) fails, and the old release stays", async (_, key, password, message) => {
    const before = current("out");
    const words = ["store", "--to", "out", "image.iso", "--iso-version", "9.0.0", "--sign", key];
    const run = password === undefined ? await task(...words) : withPassword(password, ...words);
    expect(run.status).not.toBe(0);
    expect(run.stderr).toMatch(message);
    expect(current("out")).toBe(before);
    expect(existsSync(at("out/releases/9.0.0"))).toBe(false);
  });

  it("--verify finds a file that is damaged, missing or not listed, and a signature of another key", async () => {
    mkdirSync(at("checked"));
    const words = [
      "store",
      "--to",
      "checked",
      "image.iso",
      "--iso-version",
      "1.0.0",
      "--sign",
      "gpg:locked@localhost",
    ];
    const run = withPassword("s3cret", ...words);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    const check = (key: string) => task("store", "--verify", "checked", "--public-key", key);
    expect((await check("other.asc")).stdout).toContain("its signature is good");
    expect((await check("key.asc")).stderr).toMatch(/gpg refuses the signature.*\[signature-invalid\]/);
    put(project, "checked/current/extra", "");
    expect((await check("other.asc")).stderr).toMatch(
      /extra is not listed in SHA256SUMS \[release-damaged\]/,
    );
    rmSync(at("checked/current/extra"));
    put(project, "checked/current/image.iso", "changed\n");
    expect((await check("other.asc")).stderr).toMatch(
      /image\.iso does not match its digest \[release-damaged\]/,
    );
    rmSync(at("checked/current/image.iso"));
    expect((await check("other.asc")).stderr).toMatch(/image\.iso is missing \[release-damaged\]/);
  });

  it("publishes on another machine by rsync over ssh", async () => {
    // ssh(1) joins the words of the command with blanks and gives them to the user's shell there.
    put(
      project,
      "bin/ssh",
      '#!/bin/sh\nwhile [ "$1" != there ]; do shift; done\nshift\n[ -z "$DOWN" ] || { echo "Connection refused" >&2; exit 255; }\nexec sh -c "$*"\n',
    );
    chmodSync(at("bin/ssh"), 0o755);
    mkdirSync(at("far away"));
    const far = (more: Readonly<Record<string, string>>, ...words: readonly string[]) =>
      runTask(project, words, { ...env(), PATH: `${at("bin")}:${process.env.PATH}`, ...more });
    const words = ["store", "--to", `there:${at("far away")}`, "image.iso", "--iso-version", "1.0.0"];
    expect((await far({ DOWN: "1" }, ...words)).stderr).toMatch(
      /connection.*broke: Connection refused \[store-failed\]/,
    );
    const run = await far({}, ...words);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(current("far away")).toBe("1.0.0");
    const verified = await far({}, "store", "--verify", `there:${at("far away")}`);
    expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining("it is not signed") });
  });

  it("killed by SIGKILL while it copies is no obstacle to the next run", async () => {
    const before = current("out");
    put(
      project,
      "killing/rsync",
      `#!/bin/sh\nkill -9 $(cat '${at("pid")}')\nexec ${execFileSync("sh", ["-c", "command -v rsync"], { encoding: "utf8" }).trim()} "$@"\n`,
    );
    chmodSync(at("killing/rsync"), 0o755);
    const words = ["store", "--to", "out", "image.iso", "--iso-version", "3.0.0"];
    const { child, done } = startTask(project, words, {
      ...env(),
      PATH: `${at("killing")}:${process.env.PATH}`,
    });
    writeFileSync(at("pid"), `${child.pid}`);
    await done;
    expect(child.signalCode).toBe("SIGKILL");
    expect(current("out")).toBe(before);
    expect(await task(...words)).toMatchObject({ status: 0, stderr: "" });
    expect(current("out")).toBe("3.0.0");
  });

  it.each([
    [["store"], 2, /needs a destination \[store-usage\]/],
    [["store", "--to", "host::module"], 2, /not a destination \[store-destination\]/],
    [["store", "--to", "out", "nothing.iso"], 1, /cannot be read: no such file.*\[unreadable-file\]/],
    [["store", "--to", "out", "lists"], 1, /"lists" cannot be a file of a release \[release-file\]/],
    [["store", "--to", "nowhere", "image.iso"], 1, /entering the destination.*\[store-failed\]/],
  ])("refuses %j", async (words, status, message) => {
    const run = await task(...words);
    expect(run.stderr).toMatch(message);
    expect(run.status).toBe(status);
  });
});

/** A lock with one extension. */
function lockOf(name: string): string {
  const pin = { url: `http://localhost/${name}`, size: 5, sha256: "0".repeat(64) };
  return `${JSON.stringify({ version: 1, sources: { tinycore: { [name]: pin } } })}\n`;
}
