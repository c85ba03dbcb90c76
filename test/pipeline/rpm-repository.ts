/** A repository of RPMs for tests: the sample's packages, signed by a key of the test, with metadata that is signed too. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("gpg", "gpgconf", "rpm", "rpmbuild", "rpmsign", "rpmkeys", "createrepo_c");

export class RpmRepository {
  /** Absolute: what is served. */
  readonly directory: string;
  /** For GNUPGHOME. A socket's path has at most 108 bytes (unix(7)). */
  readonly gnupg: string;
  readonly #scratch: string;

  private constructor(scratch: string) {
    this.#scratch = scratch;
    this.directory = path.join(scratch, "repository");
    this.gnupg = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
  }

  /** `sample` is the sample's repository, `scratch` a directory for this one; both absolute. */
  static async make(sample: string, scratch: string): Promise<RpmRepository> {
    const repository = new RpmRepository(scratch);
    await cp(sample, repository.directory, { recursive: true });
    repository.makeKey("tests@localhost");
    repository.makeKey("others@localhost");
    repository.sign(...readdirSync(path.join(repository.directory, "Packages")));
    repository.index();
    return repository;
  }

  gpg(...args: readonly string[]): string {
    return this.#run("gpg", ["--batch", "--quiet", "--yes", ...args]);
  }

  makeKey(name: string): void {
    const unlock = ["--pinentry-mode", "loopback", "--passphrase", ""];
    this.gpg(...unlock, "--quick-gen-key", `${name.split("@")[0]} <${name}>`, "rsa2048", "sign", "0");
  }

  /** The public key of this name, armored. */
  publicKey(name = "tests@localhost"): string {
    return this.gpg("--armor", "--export", name);
  }

  /** Signs packages by their file names. */
  sign(...names: readonly string[]): void {
    const gpg = execFileSync("sh", ["-c", "command -v gpg"], { encoding: "utf8" }).trim();
    const files = names.map((name) => path.join(this.directory, "Packages", name));
    const defines = ["--define", `__gpg ${gpg}`, "--define", "_gpg_name tests@localhost"];
    this.#run("rpmsign", [...defines, "--addsign", ...files]);
  }

  /** Builds a package without files from lines of a spec, and returns its file's name. */
  build(name: string, version: string, lines: readonly string[] = []): string {
    const spec = path.join(this.#scratch, `${name}.spec`);
    const preamble = [
      `Name: ${name}`,
      `Version: ${version}`,
      "Release: 1",
      `Summary: ${name}`,
      "License: MIT",
    ];
    const rest = ["BuildArch: noarch", ...lines, "%description", name, "%files", ""];
    writeFileSync(spec, [...preamble, ...rest].join("\n"));
    const target = path.join(this.directory, "Packages");
    const places = ["--define", `_topdir ${this.#scratch}/rpm`, "--define", `_rpmdir ${target}`];
    const fileName = ["--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"];
    this.#run("rpmbuild", ["-bb", "--quiet", ...places, ...fileName, spec]);
    return `${name}-${version}-1.noarch.rpm`;
  }

  /** Makes the metadata anew, with a signature by the key of this name; with an empty name, without one. */
  index(signer = "tests@localhost"): void {
    rmSync(path.join(this.directory, "repodata"), { recursive: true, force: true });
    this.#run("createrepo_c", ["--quiet", "--no-database", this.directory]);
    const index = path.join(this.directory, "repodata/repomd.xml");
    if (signer !== "") this.gpg("--local-user", signer, "--armor", "--detach-sign", index);
  }

  close(): void {
    this.#run("gpgconf", ["--kill", "all"]);
    rmSync(this.gnupg, { recursive: true, force: true });
  }

  #run(program: string, args: readonly string[]): string {
    mkdirSync(this.#scratch, { recursive: true });
    return execFileSync(program, args, {
      env: { ...process.env, GNUPGHOME: this.gnupg },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 2 ** 26,
    });
  }
}
