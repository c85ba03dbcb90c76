/** A project of the flavour rpm in a new directory, its repository on a loopback server, and what tests do with both. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { RpmRepository } from "./rpm-repository.ts";
import {
  checkout,
  commandEnvironment,
  epoch,
  makeDirectory,
  openWorkspace,
  removeDirectory,
} from "./workspace.ts";

usesPrograms("alien", "dnf", "git", "xorriso");

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface TaskPlace {
  /** The project's directory unless said otherwise. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The user id to run as. */
  readonly user?: number;
}

/** Options of every build: the same version and time. */
export const options: readonly string[] = ["--iso-version", "1.2.0", "--source-date-epoch", String(epoch)];
/** The ISO's path in the project. */
export const iso = "build-files/installer.1.2.0.iso";

export class RpmProject {
  /** Absolute; of everything that the tests make. */
  readonly directory: string;
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of boot files as a distribution has them. */
  readonly boot: string;
  readonly repository: RpmRepository;
  readonly #server: Server;

  private constructor(directory: string, repository: RpmRepository, server: Server) {
    this.directory = directory;
    this.root = path.join(directory, "the project");
    this.boot = path.join(directory, "boot files");
    this.repository = repository;
    this.#server = server;
  }

  /** A project as `init` makes it, that lists one signed repository; it has no boot files yet. */
  static async open(): Promise<RpmProject> {
    const built = await openWorkspace();
    await built.build(["sample-rpm"]);
    const sample = built.path(".buildcache/v1/out/shared/sample-rpm");
    const directory = await makeDirectory("rpm");
    const repository = await RpmRepository.make(
      path.join(sample, "repository"),
      path.join(directory, "packages"),
    );
    const project = new RpmProject(directory, repository, await serveDirectory(repository.directory));
    await cp(path.join(sample, "boot"), project.boot, { recursive: true });
    expect(await project.task(["init", "--flavour", "rpm", project.root], { cwd: directory })).toMatchObject({
      status: 0,
    });
    mkdirSync(project.path("keys"));
    writeFileSync(project.path("keys/tests.asc"), repository.publicKey());
    writeFileSync(project.path("keys/others.asc"), repository.publicKey("others@localhost"));
    project.#listRepository("keys: [tests.asc]");
    return project;
  }

  async close(): Promise<void> {
    this.repository.close();
    await this.#server.close();
    await removeDirectory(this.directory);
  }

  /** Absolute path of a file of the project. */
  path(name: string): string {
    return path.join(this.root, name);
  }

  /** Runs the project's command, whatever its exit status. */
  task(args: readonly string[], { cwd = this.root, env = {}, user }: TaskPlace = {}): Promise<Run> {
    const words = [path.join(checkout, "bin/task.js"), ...args];
    const give =
      user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
    const [program = "", ...rest] = [...give, process.execPath, ...words];
    const child = spawn(program, rest, {
      cwd,
      env: { ...commandEnvironment({ GNUPGHOME: this.repository.gnupg }), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        texts[name] += text;
      });
    // The server is in this process, so nothing may block it.
    return new Promise((resolve) => child.once("close", (status) => resolve({ status, ...texts })));
  }

  /** As `task` with the options of every build, and it succeeds. */
  async build(...args: readonly string[]): Promise<Run> {
    const run = await this.task([...args, ...options]);
    expect(run.status, run.stderr).toBe(0);
    return run;
  }

  /** It fails with such a message; returns all that was said. */
  async refused(args: readonly string[], message: RegExp): Promise<string> {
    const run = await this.task([...args, ...options]);
    expect(run.status, run.stderr).toBe(1);
    expect(run.stderr).toMatch(message);
    return run.stderr;
  }

  #listRepository(...lines: readonly string[]): void {
    const settings = [`url: ${this.#server.url}`, ...lines].map((line) => `  ${line}\n`).join("");
    writeFileSync(this.path("lists/repositories.yaml"), `base:\n${settings}`);
  }

  /** Absolute path of a new directory with the ISO's content, as a mount shows it. */
  extracted(name: string): string {
    const target = path.join(this.directory, name);
    rmSync(target, { recursive: true, force: true });
    execFileSync("xorriso", ["-osirrox", "on", "-indev", this.path(iso), "-extract", "/", target], {
      stdio: "ignore",
    });
    execFileSync("chmod", ["-R", "u+w", target]);
    return target;
  }

  /** dnf over a tree (absolute path), in a user namespace, with a new root for each name. */
  dnf(tree: string, root: string, ...args: readonly string[]): Run {
    const place = path.join(this.directory, root);
    mkdirSync(place, { recursive: true });
    const conf = path.join(this.directory, "dnf.conf");
    const main = ["[main]", "plugins=0", "reposdir=/dev/null", "gpgcheck=0", "install_weak_deps=0"];
    const dirs = ["cachedir=/var/cache/dnf", "logdir=/var/log", "persistdir=/var/lib/dnf"];
    writeFileSync(
      conf,
      [...main, ...dirs, "[tree]", "name=tree", `baseurl=file://${encodeURI(tree)}`, ""].join("\n"),
    );
    const words = ["-y", "-c", conf, `--installroot=${place}`, "--releasever=/", ...args];
    return spawnSync("unshare", ["-r", "-m", "dnf", ...words], { encoding: "utf8" });
  }
}
