/** The package: what it holds, and that a project which is made with an installed one works, for a colleague too. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dependencyOn } from "../../src/cli/init/dependency.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const checkout = path.resolve(import.meta.dirname, "../..");
const directory = mkdtempSync(path.join(tmpdir(), "razor-mk package "));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Standard output; the error of a command that fails holds both of its outputs. */
function run(cwd: string, program: string, words: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve, reject) => {
    execFile(program, words, { cwd, env: { PATH, HOME } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${words.join(" ")}: ${stdout}${stderr}`, { cause: error }));
    });
  });
}

const typeCheck = (project: string): Promise<string> =>
  run(project, process.execPath, [path.join(checkout, "node_modules/typescript/bin/tsc"), "--noEmit"]);

/** A new directory with what the package depends on, so that npm has to ask nobody. */
function directoryWithLibraries(name: string): string {
  const made = path.join(directory, name);
  const lock = JSON.parse(readFileSync(path.join(checkout, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: true; readonly devOptional?: true }>>;
  };
  for (const [place, { dev, devOptional }] of Object.entries(lock.packages)) {
    if (place === "" || dev === true || devOptional === true || !existsSync(path.join(checkout, place)))
      continue;
    cpSync(path.join(checkout, place), path.join(made, place), { recursive: true, verbatimSymlinks: true });
  }
  return made;
}

function json(project: string, name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(path.join(project, name), "utf8")) as Readonly<Record<string, unknown>>;
}

/** A module of the checkout with all that it loads of its own directory. */
function withImports(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(path.join(checkout, name), "utf8").replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, "");
  for (const [, next = ""] of text.matchAll(/(?:require\(|import\(|from )"(\.\/[^"]+)"/g))
    withImports(path.join(path.dirname(name), next), found);
  return found;
}

let tarball = "";
let packed: readonly string[] = [];
beforeAll(async () => {
  const told = await run(checkout, "npm", [
    "pack",
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    directory,
  ]);
  const value: unknown = JSON.parse(told);
  // npm 11 says it by the package's name, older ones as a list.
  const [first] = Object.values(value as Readonly<Record<string, unknown>>);
  const { filename, files } = first as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  };
  tarball = path.join(directory, filename);
  packed = files.map((file) => file.path).sort();
});

describe("the package", () => {
  it("holds what runs and nothing else: no tests, no benchmarks, no set-up of the checkout", async () => {
    const tracked = (await run(checkout, "git", ["ls-files", "-co", "--exclude-standard"])).split("\n");
    const runs = tracked.filter(
      (name) => /^(src|tasks|lists|overlay-src)\//.test(name) && existsSync(path.join(checkout, name)),
    );
    expect(packed.filter((name) => /^(src|tasks|lists|overlay-src)\//.test(name))).toEqual(runs.sort());
    const rest = packed.filter((name) => !/^(src|tasks|lists|overlay-src|docs|man)\//.test(name));
    expect(rest).toEqual(
      [
        ...[
          "CHANGELOG.md",
          "COPYING",
          "LICENSE",
          "README.md",
          "Taskfile.ts",
          "package.json",
          "tsconfig.json",
        ],
        ...["bin/package.json", ...withImports("bin/task.js")],
      ].sort(),
    );
  });

  it("is installed into an empty directory, where init makes a project that type-checks and builds", async () => {
    const project = directoryWithLibraries("my image");
    const npm = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball];
    await run(project, "npm", npm);
    const said = await run(project, "npx", ["--offline", "razor-mk", "init"]);
    expect(said).toContain("completed: package.json\n");
    expect(json(project, "package.json")).toMatchObject({
      name: "my-image",
      private: true,
      type: "module",
      dependencies: { "razor-mk": `file:../${path.basename(tarball)}` },
      devDependencies: { typescript: expect.stringMatching(/^\^/) },
    });
    expect(await typeCheck(project)).toBe("");
    await run(project, "npx", ["--offline", "task", "package-list"]);
    expect(readFileSync(path.join(project, "build-files/package-list.md"), "utf8")).toContain("- bash.tcz\n");

    // A project elsewhere uses the same installation.
    const other = path.join(directory, "other");
    await run(project, "npx", ["--offline", "razor-mk", "init", "../other", "--template", "rescue"]);
    expect(json(other, "package.json")).toMatchObject({
      dependencies: { "razor-mk": `file:../${path.basename(tarball)}` },
    });
    expect(await typeCheck(other)).toBe("");
  }, 180_000);

  it("is linked from its checkout just as well", async () => {
    const project = path.join(directory, "linked");
    mkdirSync(project);
    await run(project, "npm", [
      "install",
      "--offline",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      checkout,
    ]);
    await run(project, "npx", ["--offline", "razor-mk", "init"]);
    const { dependencies } = json(project, "package.json");
    expect(dependencies).toEqual({ "razor-mk": `file:${path.relative(project, checkout)}` });
    expect(await typeCheck(project)).toBe("");
  }, 180_000);
});

describe("a new project's dependency on the package", () => {
  /** What it is when npm has installed the package in `/host` from `spec`, for a project in a directory beside it. */
  function dependencyWhen(manifest: object, lock?: object): string {
    const host = mkdtempSync(path.join(directory, "host-"));
    const modules = path.join(host, "node_modules");
    mkdirSync(path.join(modules, "razor-mk"), { recursive: true });
    writeFileSync(path.join(host, "package.json"), JSON.stringify(manifest));
    if (lock !== undefined) writeFileSync(path.join(modules, ".package-lock.json"), JSON.stringify(lock));
    const spec = dependencyOn("razor-mk", path.join(modules, "razor-mk"), path.join(directory, "image"));
    return spec.replace(path.basename(host), "host");
  }
  const asking = (spec: string) => ({ dependencies: { "razor-mk": spec } });
  const resolved = (url: string) => ({ packages: { "node_modules/razor-mk": { resolved: url } } });

  it.each([
    "git+ssh://git@git.example/images/razor-mk.git#v1.2.0",
    "git+https://git.example/images/razor-mk.git",
    "github:images/razor-mk#semver:^1",
    "images/razor-mk",
    "https://files.example/razor-mk-1.2.0.tgz",
  ])("is the address that npm was given: %s", (spec) => {
    expect(dependencyWhen(asking(spec))).toBe(spec);
  });

  it("is the same file or directory, seen from the project", () => {
    expect(dependencyWhen(asking("file:razor-mk-1.2.0.tgz"))).toBe("file:../host/razor-mk-1.2.0.tgz");
  });

  it("is where npm had it from, when it was asked for by name", () => {
    const url = "git+ssh://git@git.example/images/razor-mk.git#0123456789abcdef";
    expect(dependencyWhen({}, resolved(url))).toBe(url);
  });

  it("is never a name and version, which a registry may give to somebody else's package", () => {
    for (const spec of ["^0.1.0", "0.1.0", "latest", "*", "npm:other@1"]) {
      expect(dependencyWhen(asking(spec))).toBe("file:../host/node_modules/razor-mk");
    }
  });
});
