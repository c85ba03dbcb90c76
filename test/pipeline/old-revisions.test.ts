/** Three revisions of the old project, built as docs/migrating.md says, word for word. */
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileTree, stageTree } from "../../src/formats/index.ts";
import { callRuby } from "../image/built-gems.ts";
import { serveDirectory } from "../support/file-server.ts";
import { usesPrograms } from "../support/programs.ts";
import { type Image, readImage } from "./image.ts";
import { sampleMirror } from "./local-source.ts";
import { describedVersion, gemSettings, type Revision, revisions, writeRevision } from "./old-revisions.ts";
import {
  checkout,
  commandEnvironment,
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  type Workspace,
} from "./workspace.ts";

usesPrograms("ruby", "xorriso");

const page = readFileSync(path.join(checkout, "docs/migrating.md"), "utf8");

/** The first command of the page that begins like this, and nothing behind it. */
function documented(start: string): string {
  const command = [...page.matchAll(/`(npx task [^`]+)`/g)]
    .map(([, one = ""]) => one)
    .find((one) => one.startsWith(start));
  if (command === undefined) throw new Error(`docs/migrating.md has no command ${start}`);
  return command;
}

const variants = { dev: "", prod: "-p", debug: "-d" } as const;
type Variant = keyof typeof variants;

describe.each(revisions)("revision %s of the old project", (revision: Revision) => {
  let workspace: Workspace;
  let home = "";
  let project = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    home = await makeDirectory(`old revision ${revision}`);
    project = path.join(home, "Razor-Microkernel");
    await writeRevision(workspace, project, revision);
  });
  afterAll(() => removeDirectory(home));

  /** Runs a command of the page in the shell, at home in the directory that has the project. */
  async function run(command: string): Promise<string> {
    const script = `npx() { shift; "$NODE" "$PROGRAM" "$@"; }\n${command}`;
    const done = await workspace.$({
      cwd: workspace.root,
      env: {
        ...commandEnvironment(),
        ...{
          HOME: home,
          MK_BUNDLE_SOURCE: "sample",
          NODE: process.execPath,
          PROGRAM: workspace.path("bin/task.js"),
        },
      },
      nothrow: true,
    })`sh -c ${script}`;
    expect(done.exitCode, `${command}\n${done.stdout}${done.stderr}`).toBe(0);
    return `${done.stdout}${done.stderr}`;
  }

  const text = async (tree: FileTree, name: string): Promise<string> => (await tree.read(name)).toString();

  async function checkImage({ tree, directory }: Image, variant: Variant): Promise<void> {
    expect(await text(tree, "root/.gemrc")).toBe(gemSettings);
    expect(tree.get("root/.gemrc")).toMatchObject({ mode: 0o644, uid: 0, gid: 0 });
    const mirror = tree.paths().filter((name) => name.startsWith("tmp/gem-mirror/"));
    for (const name of ["specs", "latest_specs", "prerelease_specs"])
      expect(mirror).toContain(`tmp/gem-mirror/${name}.4.8.gz`);
    for (const gem of ["daemons", "facter", "json_pure", "stomp"]) {
      const one = mirror.filter((name) => new RegExp(`/${gem}-[0-9.]+\\.gem(spec\\.rz)?$`).test(name));
      expect(one.map((name) => path.dirname(name))).toEqual([
        "tmp/gem-mirror/gems",
        "tmp/gem-mirror/quick/Marshal.4.8",
      ]);
    }
    expect(await text(tree, "tmp/gem-mirror/gems/gem.list")).toBe("daemons\nfacter\njson_pure\nstomp\n");
    expect(await text(tree, "usr/local/bin/rz_mk_gem_mirror.rb")).toContain("# gem mirror");
    expect(tree.get("opt/bootsync.sh")).toMatchObject({ mode: 0o755 });
    expect((await text(tree, "tmp/mk_conf.yaml")).includes("mk_of_debug")).toBe(variant === "debug");
    expect(tree.has("tmp/mk_conf_debug.yaml")).toBe(false);
    expect((await text(tree, "etc/inittab")).includes("autologin")).toBe(variant === "debug");
    expect((await text(tree, "etc/shadow")).includes("# nologin")).toBe(variant === "prod");
    expect(/^tc:\*:/m.test(await text(tree, "etc/shadow"))).toBe(variant === "prod");
    expect(tree.has("tmp/builtin/optional/openssh.tcz")).toBe(variant !== "prod");
    expect(tree.has("usr/local/etc/ssh/own.cfg")).toBe(variant !== "prod");
    const agent = tree.paths().filter((name) => /plugins\/mcollective\/agent\/configuration\.rb$/.test(name));
    expect(agent).toHaveLength(revision === "0.9.3.0" ? 1 : 0);
    expect(tree.has("usr/local/mcollective")).toBe(revision === "0.9.3.0");
    expect(tree.paths().some((name) => /^tmp\/tinycorelinux\/.*\/hostname\.tcz$/.test(name))).toBe(
      revision === "last",
    );
    const licence = readFileSync(path.join(directory, "LICENSE"), "utf8");
    expect(licence === "Licence of the old project\n").toBe(revision !== "0.9.3.0");
  }

  /** The image of the production bundle, which was just built. */
  async function checkRebuilt(): Promise<void> {
    const kept = path.join(home, "kept.tar.gz");
    await copyFile(workspace.path("build-files/razor-microkernel-bundle-prod.tar.gz"), kept);
    const command = documented("npx task rebuild-iso")
      .replace("FILE", `'${kept}'`)
      .replace("0.9.3.1", "0.9.3.2");
    const iso = "build-files/rz_mk_prod-image.0.9.3.2.iso";
    expect(await run(command)).toContain(iso);
    await checkImage(await readImage(workspace.$, workspace.path(iso), path.join(home, "rebuilt")), "prod");
  }

  it.each(Object.entries(variants))("builds %s bundles and images as the page says", async (name, flag) => {
    const variant = name as Variant;
    const bundle = await run(`${documented("npx task bundle")} ${flag}`);
    expect(bundle).toContain(`build-files/razor-microkernel-bundle-${variant}.tar.gz`);
    const said = await run(`${documented("npx task iso")} ${flag}`);
    const iso = `build-files/rz_mk_${variant}-image.0.9.3.1.iso`;
    expect(said).toContain(iso);
    await checkImage(await readImage(workspace.$, workspace.path(iso), path.join(home, variant)), variant);
    if (variant === "prod") await checkRebuilt();
    await rm(path.join(home, variant), { recursive: true });
  });

  it("has the version of its own checkout", async () => {
    const said = await run(
      `${documented("npx task bundle")}; npx task version --overlay ~/Razor-Microkernel`,
    );
    expect(
      said
        .trim()
        .split("\n")
        .find((line) => describedVersion[revision].test(line)),
    ).toBeDefined();
  });

  it("is built with the configuration that it ships, from any directory", async () => {
    const config = documented("npx task bundle --config");
    await copyFile(path.join(project, "bundle.cfg.example"), path.join(project, "bundle.cfg"));
    await mkdir(workspace.path("docs/below"), { recursive: true });
    try {
      const said = await run(`cd docs/below && ${config}`);
      expect(said).toContain("build-files/razor-microkernel-bundle-prod.tar.gz");
      expect(said).toMatch(/bundle\.cfg:3: .*the line is not used/);
      expect(said).not.toContain("bigsecret");
    } finally {
      await rm(workspace.path("docs/below"), { recursive: true });
      await rm(path.join(project, "bundle.cfg"));
    }
  });

  it("names the project's own list as the reason of a build", async () => {
    await run(documented("npx task bundle"));
    const list = path.join(project, "additional-build-files/builtin-extensions.lst");
    const said = await run(
      `printf 'openssl.tcz\\n' >> '${list}' && ${documented("npx task bundle")}; git -C '${project}' checkout --quiet .`,
    );
    expect(said).toContain("additional-build-files/builtin-extensions.lst changed: openssl.tcz added");
    expect(said).not.toMatch(/(?<!\/additional-build-files\/)\blists\/builtin-extensions\.lst/);
  });

  it.runIf(revision === "0.12.0")(
    "is built with a configuration of the shipped form, of mirrors only",
    async () => {
      const mirror = sampleMirror(workspace);
      const extras = await readdir(path.join(mirror, "extras"));
      const extra = (start: string): string => `extras/${extras.find((name) => name.startsWith(start))}`;
      const places: readonly (readonly [string, string])[] = [
        ["http://mirror.example/tinycorelinux/4.x/x86/tcz/", "14.x/x86_64/tcz/"],
        ["http://mirror.example/tinycorelinux/4.x/x86/release/Core-", "14.x/x86_64/release/CorePure64-"],
        ["http://mirror.example/rubygems/rubygems-1.8.24.tgz", extra("rubygems-")],
        ["http://mirror.example/Razor-Microkernel/mk-open-vm-tools.tar.gz", extra("mk-open-vm-tools")],
        ["http://mirror.example:8808/", "gems/"],
      ];
      const proxy = await serveDirectory(mirror, (url) => {
        const place = places.find(([start]) => url.startsWith(start));
        return place === undefined ? "nowhere" : `${place[1]}${url.slice(place[0].length)}`;
      });
      const config = path.join(project, "bundle.cfg");
      // The keys and the forms of the values are those of the old project's bundle.cfg.example.
      const lines = [
        "MK_BUNDLE_BUILTIN_LIST=additional-build-files/builtin-extensions.lst",
        "MK_BUNDLE_MIRROR_LIST=additional-build-files/mirror-extensions.lst",
        "MK_BUNDLE_TC_PASSWD=bigsecret",
        "MK_BUNDLE_RE_USE_PREV_DL=no",
        "MK_BUNDLE_TYPE=prod",
        "MK_BUNDLE_TCL_MIRROR_URI=http://mirror.example/tinycorelinux/4.x/x86/tcz",
        "MK_BUNDLE_TCL_ISO_URL=http://mirror.example/tinycorelinux/4.x/x86/release/Core-current.iso",
        "MK_BUNDLE_RUBY_GEMS_URL=http://mirror.example/rubygems/rubygems-1.8.24.tgz",
        "MK_BUNDLE_OPEN_VM_TOOLS_URL=http://mirror.example/Razor-Microkernel/mk-open-vm-tools.tar.gz",
        "MK_BUNDLE_GEM_SERVER_URI=http://mirror.example:8808/",
      ];
      await writeFile(config, `${lines.join("\n")}\n`);
      try {
        const command = `${documented("npx task bundle --config")} --source tinycore --lock ~/lock.json`;
        const said = await run(`export http_proxy=${proxy.url}; ${command}`);
        expect(said).toContain("build-files/razor-microkernel-bundle-prod.tar.gz");
        expect(said).toMatch(/bundle\.cfg:3: .*the line is not used/);
        const tools = workspace.path(".buildcache/v1/out/prod/payload/open-vm-tools");
        expect(await readdir(tools)).toEqual(["mk-open-vm-tools.tar.gz"]);
      } finally {
        await proxy.close();
        await rm(config);
      }
    },
  );

  it.runIf(revision === "0.12.0")(
    "becomes a project of this kind with the commands of the page",
    async () => {
      const [, script = "false"] = /## Later[\s\S]*?```sh\n([\s\S]*?)```/.exec(page) ?? [];
      const copy = await copyWorkspace(workspace, path.join(home, "new project"));
      await copy.$({ cwd: copy.root, env: { ...commandEnvironment(), HOME: home } })`bash -ec ${script}`;
      const { stdout } = await copy.build(["iso", "--source", "sample", "--iso-version", "0.9.5"]);
      const [iso = ""] = /build-files\/\S+\.iso/.exec(stdout) ?? [];
      const { tree } = await readImage(copy.$, copy.path(iso), path.join(home, "new image"));
      expect(await text(tree, "usr/local/bin/rz_mk_controller.rb")).toContain("# controller");
      expect(await text(tree, "tmp/mk_conf.yaml")).toContain("mk_log_level: Logger::INFO");
      expect(tree.has("tmp/mk_conf_debug.yaml")).toBe(false);
      expect(tree.get("opt/bootsync.sh")).toMatchObject({ mode: 0o755 });
      expect(tree.has("tmp/builtin/optional/lshw.tcz")).toBe(true);
    },
  );

  it.runIf(revision === "0.12.0")(
    "has gems that a real gem installs from the mirror in the image",
    async () => {
      const root = path.join(home, "mirror");
      const iso = workspace.path("build-files/rz_mk_dev-image.0.9.3.1.iso");
      const { tree } = await readImage(workspace.$, iso, path.join(home, "with mirror"));
      await stageTree(
        new FileTree([...tree].filter(([name]) => /^tmp($|\/gem-mirror(\/|$))/.test(name))),
        root,
      );
      const server = await serveDirectory(path.join(root, "tmp/gem-mirror"));
      try {
        const gems = path.join(home, "gems");
        const env = { GEM_HOME: gems, GEM_PATH: gems };
        const from = ["--clear-sources", "--source", server.url];
        const listed = await callRuby(home, ["-S", "gem", "list", ...from, "--remote"], env);
        // As the old controller reads it: each line is a name and its versions.
        const lines = listed
          .trim()
          .split("\n")
          .filter((line) => !/^(\s*|\*\*\*.*)$/.test(line));
        expect(lines.map((line) => /^(\S*)\s*\((.*)\)$/.exec(line)?.[1])).toEqual(
          expect.arrayContaining(["daemons", "facter", "json_pure", "stomp"]),
        );
        await callRuby(home, ["-S", "gem", "install", "--no-document", "facter", ...from], env);
        expect(await readdir(path.join(gems, "specifications"))).toEqual(
          expect.arrayContaining([expect.stringMatching(/^facter-/)]),
        );
        expect(existsSync(path.join(gems, "bin/facter"))).toBe(true);
      } finally {
        await server.close();
      }
    },
  );
});
