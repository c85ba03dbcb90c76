/** Packages made by the tests, and an apt that knows no others: the sample source's raw material, offline. */
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { createShell, ProcessGroups, type Shell } from "../src/host/index.ts";
import type { PackagePlan } from "../tasks/debian/packages.ts";

export interface PackageText {
  readonly name: string;
  readonly version?: string;
  readonly depends?: string;
  readonly provides?: string;
  /** Path → text; a text that begins with `-> ` makes a symbolic link; paths in `bin` and `sbin` are executable. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Workshop {
  readonly $: Shell;
  path(name: string): string;
  /** Builds a package file with dpkg-deb and returns its absolute path. */
  makePackage(text: PackageText): Promise<string>;
  /** Makes these packages the only ones that the workshop's apt knows. */
  offer(...texts: readonly PackageText[]): Promise<void>;
}

/** A scratch directory with a space in its name, made before the file's tests, removed after them. */
export function useWorkshop(): Workshop {
  let directory = "";
  let shell: Shell | undefined;
  const groups = new ProcessGroups();
  const path = (name: string): string => join(directory, name);
  const run = (): Shell => {
    if (shell === undefined) throw new Error("the workshop is not ready");
    return shell;
  };

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), "razor mk sample ")));
    for (const name of ["debs", "lists/partial", "cache/archives/partial"]) {
      await mkdir(path(name), { recursive: true });
    }
    await writeFile(path("status"), "");
    await writeFile(
      path("sources.list"),
      `deb [trusted=yes] file:${path("debs").replaceAll(" ", "%20")} ./\n`,
    );
    await writeFile(
      path("apt.conf"),
      [
        `Dir::State "${directory}";`,
        `Dir::State::lists "${path("lists")}";`,
        `Dir::State::status "${path("status")}";`,
        `Dir::Cache "${path("cache")}";`,
        `Dir::Etc::sourcelist "${path("sources.list")}";`,
        `Dir::Etc::sourceparts "${path("nothing")}";`,
        'APT::Sandbox::User "root";',
      ].join("\n"),
    );
    shell = await createShell({ cwd: directory, env: { APT_CONFIG: path("apt.conf") }, groups });
  });
  afterAll(async () => {
    await groups.terminate();
    await rm(directory, { recursive: true, force: true });
  });

  async function makePackage({ name, version = "1.0-1", files = {}, ...text }: PackageText): Promise<string> {
    const tree = path(`trees/${name}`);
    await rm(tree, { recursive: true, force: true });
    const fields = [
      `Package: ${name}`,
      `Version: ${version}`,
      "Architecture: all",
      "Maintainer: nobody",
      "Section: misc",
      "Homepage: http://localhost/",
      ...(text.depends === undefined ? [] : [`Depends: ${text.depends}`]),
      ...(text.provides === undefined ? [] : [`Provides: ${text.provides}`]),
      `Description: the package ${name}`,
      " And its long description.",
      "",
    ];
    for (const [at, content] of Object.entries({ "DEBIAN/control": fields.join("\n"), ...files })) {
      const file = join(tree, at);
      await mkdir(dirname(file), { recursive: true });
      if (content.startsWith("-> ")) {
        await symlink(content.slice(3), file);
        continue;
      }
      await writeFile(file, content);
      await chmod(file, /(^|\/)s?bin\//.test(at) ? 0o755 : 0o644);
    }
    await chmod(join(tree, "DEBIAN"), 0o755);
    const file = path(`debs/${name}_${version.replace(":", "%3a")}_all.deb`);
    await run()`dpkg-deb --root-owner-group -Zgzip --build ${tree} ${file}`;
    return file;
  }

  async function offer(...texts: readonly PackageText[]): Promise<void> {
    await rm(path("debs"), { recursive: true, force: true });
    await mkdir(path("debs"));
    const records: string[] = [];
    for (const text of texts) {
      const file = await makePackage(text);
      const bytes = await readFile(file);
      const { stdout } = await run()`dpkg-deb --field ${file}`;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      records.push(
        `${stdout.trim()}\nFilename: ./${basename(file)}\nSize: ${bytes.length}\nSHA256: ${sha256}\n`,
      );
    }
    await writeFile(path("debs/Packages"), records.join("\n"));
    await run()`apt-get update`;
  }

  return {
    get $() {
      return run();
    },
    path,
    makePackage,
    offer,
  };
}

/** A plan of packages by name, for what needs a plan but no apt. */
export function planOf(
  names: readonly string[],
  depends: Readonly<Record<string, readonly string[]>> = {},
): PackagePlan {
  return {
    architecture: "amd64",
    base: [],
    packages: names.map((name) => ({
      name,
      version: "1.0-1",
      architecture: "all",
      fileName: `${name}_1.0-1_all.deb`,
      size: 0,
      sha256: "",
      uri: "",
      depends: depends[name] ?? [],
    })),
  };
}
