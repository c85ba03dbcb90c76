// A fresh machine: a minimal Debian or Ubuntu in a directory, with Node, npm, git and the host's network settings, and nothing else.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { apt } from "./apt.mjs";
import { runChild } from "./child.mjs";
import { carriedEnvironment, carryOver, copyCertificates, copyNpmSettings } from "./network-settings.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { isInstalled } from "./tool-table.mjs";

/** Where the clone of the checkout is, below a home directory: with a space, as users have it. */
const cloneName = "a fresh clone/razor-mk";
/** New namespaces for mounts and processes: with their first process both are gone, however it ends. */
const apart = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Files of the host that apt and the network need. */
const ofTheHost = [
  "/etc/apt/auth.conf.d",
  "/etc/apt/keyrings",
  "/etc/apt/trusted.gpg.d",
  "/usr/share/keyrings",
  "/etc/resolv.conf",
  "/etc/hosts",
];

/** @typedef {"root" | "dev"} User */

export class FreshMachine {
  #interrupted = false;

  /** @param {string} root Absolute path of the directory with the machine's system. */
  constructor(root) {
    this.root = root;
  }

  /**
   * Makes the machine, with a clone of the checkout for the users root and dev. Throws `SetupFailure` where it cannot be
   * made; nothing is left behind then.
   * @param {string} checkout Absolute path.
   * @param {(line: string) => void} say
   */
  static async make(checkout, say) {
    const lack = whatIsLacking();
    if (lack !== undefined)
      throw new SetupFailure("fresh-machine", `a fresh machine cannot be made: ${lack}`, hint);
    if (!isInstalled("mmdebstrap"))
      await apt(["install", "--yes", "--no-install-recommends", "mmdebstrap"], say);
    const directory = mkdtempSync(path.join(process.env.TMPDIR ?? "/var/tmp", "razor-mk-machine-"));
    const machine = new FreshMachine(directory);
    // A signal between two children must not leave the directory behind: the next step refuses.
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
      process.on(signal, () => {
        machine.#interrupted = true;
      });
    try {
      await machine.#install(checkout, say);
      return machine;
    } catch (error) {
      machine.remove();
      throw error;
    }
  }

  /**
   * @param {string} checkout
   * @param {(line: string) => void} say
   */
  async #install(checkout, say) {
    const { root } = this;
    chmodSync(root, 0o755);
    const release = readFileSync("/etc/os-release", "utf8");
    const suite = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? "stable";
    say(`making a minimal ${suite} in ${root}`);
    const args = ["--mode=root", "--variant=minbase", "--include=git,ca-certificates", ...aptOptions()];
    await this.#mustRun("unshare", [...apart, "mmdebstrap", ...args, suite, root, ...aptSources()]);
    for (const place of ofTheHost) if (existsSync(place)) carryOver(root, place);
    copyNode(root);
    await this.#mustRun("useradd", ["--root", root, "--create-home", "--shell", "/bin/sh", "dev"]);
    copyCertificates(root);
    copyNpmSettings(root, ["/root", "/home/dev"]);
    for (const home of ["root", "home/dev"])
      await this.#mustRun("git", [
        "clone",
        "--quiet",
        "--no-hardlinks",
        checkout,
        path.join(root, home, cloneName),
      ]);
    await this.#mustRun("chroot", [root, "chown", "-R", "dev:dev", "/home/dev"]);
    const { status, output } = await this.run("dev", ["node", "--version"], { output: "kept" });
    if (status !== 0)
      throw new SetupFailure(
        "fresh-machine",
        `the host's Node does not run in a minimal ${suite}\n${output}`,
        hint,
      );
  }

  /**
   * @param {string} program
   * @param {readonly string[]} args
   */
  async #mustRun(program, args) {
    this.#refuseInterrupted();
    const { status, output } = await runChild(program, args, { cwd: "/", output: "kept", own: true });
    if (status === 0) return;
    const last = output.trim().split("\n").slice(-15).join("\n").replaceAll(/^/gm, "  | ");
    throw new SetupFailure(
      "fresh-machine",
      `a fresh machine cannot be made: ${program} failed with status ${status}\n${last}`,
      hint,
    );
  }

  #refuseInterrupted() {
    if (this.#interrupted) throw new SetupFailure("interrupted", "interrupted", "run the command again", 130);
  }

  /**
   * Runs a command in the user's clone of the checkout, without standard input.
   * @param {User} user
   * @param {readonly string[]} command
   * @param {{ output: import("./child.mjs").ChildOptions["output"] }} options
   */
  run(user, command, { output }) {
    this.#refuseInterrupted();
    const home = user === "root" ? "/root" : `/home/${user}`;
    const enter = fileURLToPath(new URL("enter-machine.sh", import.meta.url));
    const env = {
      ...carriedEnvironment(),
      ...{ HOME: home, USER: user, LOGNAME: user },
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    };
    const words = ["sh", enter, this.root, user, path.join(home, cloneName), ...command];
    return runChild("unshare", [...apart, ...words], { cwd: "/", output, env, own: true });
  }

  /** Deletes it. Nothing is mounted in it: mounts end with the processes that see them. */
  remove() {
    spawnSync("rm", ["-rf", "--one-file-system", this.root]);
  }
}

const hint = "use Debian or Ubuntu, as root, with access to apt's archive";

/** Why this machine cannot make a fresh one; undefined where no reason is known. */
function whatIsLacking() {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "this needs root";
  if (!isInstalled("apt-get")) return "there is no apt";
  const { status, stderr } = spawnSync("unshare", [...apart, "true"], { encoding: "utf8" });
  if (status !== 0) return `namespaces cannot be made: ${(stderr ?? "unshare is not installed").trim()}`;
  return undefined;
}

/** Files that say where apt's packages come from. */
function aptSources() {
  const directory = "/etc/apt/sources.list.d";
  const named = existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)) : [];
  const files = ["/etc/apt/sources.list", ...named.filter((name) => /\.(list|sources)$/.test(name))];
  return files.filter((file) => existsSync(file) && /^(deb\s|Types:)/m.test(readFileSync(file, "utf8")));
}

/** apt's options for reaching the archive: proxies, retries, checks of dates. */
function aptOptions() {
  const { stdout } = spawnSync("apt-config", ["dump"], { encoding: "utf8" });
  const settings = stdout
    .split("\n")
    .filter((line) => /^Acquire::(Check-|https?::|Retries|ForceIP)/.test(line));
  return settings.map((line) => `--aptopt=${line.replace(/;$/, "")}`);
}

/**
 * This Node and its npm, as programs of the machine.
 * @param {string} root
 */
function copyNode(root) {
  const modules = path.join(root, "usr/local/lib/node_modules");
  const programs = path.join(root, "usr/local/bin");
  mkdirSync(modules, { recursive: true });
  cpSync(realpathSync(process.execPath), path.join(programs, "node"));
  cpSync(findNpm(), path.join(modules, "npm"), { recursive: true });
  for (const name of ["npm", "npx"])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(programs, name));
}

/** The directory of the npm that this script was started by, or of the one in PATH. */
function findNpm() {
  const own = process.env.npm_execpath;
  if (own !== undefined && path.basename(own) === "npm-cli.js") return path.dirname(path.dirname(own));
  const { stdout } = spawnSync("npm", ["root", "--global"], { encoding: "utf8" });
  return path.join(stdout.trim(), "npm");
}
