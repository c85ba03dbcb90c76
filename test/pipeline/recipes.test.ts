/** Extensions built from source: in a root of Core and a compiler of the mirror, without rights of root and without a network. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { readImage } from "./image.ts";
import {
  copyWorkspace,
  giveToPlainUser,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("git", "mksquashfs", "tar", "unsquashfs", "unshare", "xorriso");

const options = ["--source", "sample", "--iso-version", version];

const program = `#include <stdio.h>
int main(void) { printf("%s of %s\\n", GREETING, __FILE__); return 0; }
`;
const makefile = `CPPFLAGS += -DGREETING='"hello $(VERSION)"'
all: hello
install:
\tmkdir -p $(DESTDIR)/usr/local/bin $(DESTDIR)/usr/local/share/doc/hello
\tinstall -m 755 hello $(DESTDIR)/usr/local/bin/hello
\techo "read me" >$(DESTDIR)/usr/local/share/doc/hello/README
`;

describe("extensions with a recipe", () => {
  let directory = "";
  let workspace: Workspace;
  let server: Server;
  const write = (name: string, text: string | Uint8Array, mode = 0o644): void => {
    const file = workspace.path(`extensions/${name}`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  const recipe = (name: string, ...lines: readonly string[]): void =>
    write(`${name}/recipe.yaml`, `version: '1.0'\n${lines.join("\n")}\n`);
  const make = (...names: readonly string[]) =>
    workspace.task(["extension", ...names, "--source", "sample", "-v"]);
  const made = (name: string): string => workspace.path(`build-files/extensions/${name}`);
  const listed = async (name: string): Promise<string> =>
    (await workspace.$`unsquashfs -lln ${made(name)}`).stdout.replace(/ +\d+ \d{4}-\S+ \S+ /g, " ");
  const catOf = async (name: string, file: string): Promise<string> =>
    (await workspace.$`unsquashfs -cat ${made(name)} ${file}`).stdout;
  /** Makes what must not be made; returns what was said. */
  const failure = async (name: string): Promise<string> => {
    const { status, stderr } = await make(name);
    expect(status).toBe(1);
    return stderr;
  };
  const remove = (name: string): void => rmSync(workspace.path(`extensions/${name}`), { recursive: true });

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["iso", ...options]);
    directory = await makeDirectory("recipes");
    workspace = await copyWorkspace(built, path.join(directory, "the workspace"));
    mkdirSync(path.join(directory, "served"));
    server = await serveDirectory(path.join(directory, "served"));
    write("hello/src/hello.c", program);
    write("hello/src/Makefile", makefile);
    recipe("hello", "source: src", "build-needs: [compiletc.tcz]", "split: {doc: [usr/local/share/doc]}");
  }, 1_200_000);

  afterAll(async () => {
    await server?.close();
    await removeDirectory(directory);
  });

  it("are compiled, stripped, split, and told nothing of this machine", async () => {
    const { status, stderr } = await make("hello", "hello-doc");
    expect([status, stderr]).toEqual([0, expect.stringContaining("extensions/hello: make")]);
    const bytes = path.join(directory, "unpacked");
    execFileSync("unsquashfs", ["-q", "-n", "-d", bytes, made("hello.tcz")]);
    const file = path.join(bytes, "usr/local/bin/hello");
    expect(execFileSync(file, { encoding: "utf8" })).toBe("hello 1.0 of hello.c\n");
    const text = readFileSync(file).toString("latin1");
    expect(text).not.toContain(".symtab");
    expect(text).not.toContain("/build/");
    expect(text).not.toContain(workspace.root);
    expect(await listed("hello.tcz")).toContain("-rwxr-xr-x 0/0 squashfs-root/usr/local/bin/hello");
    expect(readFileSync(made("hello-doc.tcz.list"), "utf8")).toBe("usr/local/share/doc/hello/README\n");
    expect(readFileSync(made("hello.tcz.info"), "utf8")).toMatch(/^Version: +1\.0$/m);
  });

  it("have the same bytes when an ordinary user with another umask builds them elsewhere", async () => {
    const first = await sha256(made("hello.tcz"));
    const other = await copyWorkspace(workspace, path.join(directory, "elsewhere", "another workspace"));
    await giveToPlainUser(other.$, path.join(directory, "elsewhere"));
    chmodSync(directory, 0o755);
    const args = ["extension", "hello", "--source", "sample", "--force"];
    // Other words of the recipe, so that nothing is found that was built before.
    appendFileSync(other.path("extensions/hello/recipe.yaml"), "steps: {prepare: 'true'}\n");
    const done = await other.task(args, { umask: "077", plainUser: true });
    expect([done.status, done.stderr]).toEqual([0, expect.stringMatching(/named-extensions: rebuilt/)]);
    expect(await sha256(other.path("build-files/extensions/hello.tcz"))).toBe(first);
  });

  it("are built again when a source file is edited, that one alone, and go into the image", async () => {
    write(
      "still/src/Makefile",
      "all:\ninstall:\n\tmkdir -p $(DESTDIR)/opt && echo 1 >$(DESTDIR)/opt/still\n",
    );
    recipe("still", "source: src", "build-needs: [compiletc.tcz]");
    appendFileSync(workspace.path("lists/builtin-extensions.lst"), "hello.tcz\nstill.tcz\n");
    const first = await workspace.build(["iso", ...options, "-v"]);
    expect(first.stderr).toContain("extensions/still: make");
    write("hello/src/hello.c", program.replace("%s of", "%s, of"));
    const { stderr } = await workspace.build(["iso", ...options, "-v"]);
    const ran = [...stderr.matchAll(/^✓ (\S+): rebuilt/gm)].map(([, name]) => name);
    expect(ran.sort()).toEqual(["own-extensions", "own-layer", "own-single", "rebuild-iso"]);
    expect(stderr).toContain("extensions/hello: make");
    expect(stderr).not.toContain("extensions/still: make");
    const iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
    const { tree } = await readImage(workspace.$, iso, path.join(directory, "image"));
    expect(tree.has("tmp/builtin/optional/hello.tcz")).toBe(true);
    expect(tree.has("tmp/builtin/optional/still.tcz")).toBe(true);
    expect(tree.has("tmp/builtin/optional/compiletc.tcz")).toBe(false);
    expect((await workspace.build(["iso", ...options])).stderr).toContain("nothing to do");
  });

  it("see the image's kernel, and no network", async () => {
    recipe(
      "probe",
      "build-needs: [compiletc.tcz]",
      "steps:",
      "  make: |",
      "    uname -r >release",
      "    cat /proc/net/dev >devices",
      '  install: mkdir -p "$DESTDIR/opt" && cp release devices "$DESTDIR/opt"',
    );
    expect(await make("probe")).toMatchObject({ status: 0 });
    const core = JSON.parse(
      readFileSync(workspace.path(".buildcache/v1/out/shared/fetch-iso/core.json"), "utf8"),
    ) as { readonly kernelRelease: string };
    expect(await catOf("probe.tcz", "opt/release")).toBe(`${core.kernelRelease}\n`);
    const devices = (await catOf("probe.tcz", "opt/devices")).match(/^ *\w+(?=:)/gm);
    expect(devices?.map((name) => name.trim())).toEqual(["lo"]);
  });

  it("take tarballs by their sha256, commits of git, and patches; other bytes are refused", async () => {
    const source = path.join(directory, "hello-1.0");
    mkdirSync(source);
    writeFileSync(path.join(source, "text"), "one\ntwo\n");
    writeFileSync(
      path.join(source, "Makefile"),
      "all:\ninstall:\n\tmkdir -p $(DESTDIR)/opt && cp text $(DESTDIR)/opt\n",
    );
    const tarball = path.join(directory, "served/hello-1.0.tar.gz");
    execFileSync("tar", ["-C", directory, "-czf", tarball, "hello-1.0"]);
    const digest = createHash("sha256").update(readFileSync(tarball)).digest("hex");
    const patch = "--- a/text\n+++ b/text\n@@ -1,2 +1,2 @@\n one\n-two\n+patched\n";
    write("fetched/fix.patch", patch);
    const url = `${server.url}/hello-1.0.tar.gz`;
    const rest = ["patches: [fix.patch]", "build-needs: [compiletc.tcz]"];
    recipe("fetched", `source: {url: "${url}", sha256: "${digest}"}`, ...rest);
    expect(await make("fetched")).toMatchObject({ status: 0 });
    expect(await catOf("fetched.tcz", "opt/text")).toBe("one\npatched\n");

    recipe("fetched", `source: {url: "${url}", sha256: "${"0".repeat(64)}"}`, ...rest);
    expect(await failure("fetched")).toMatch(
      /hello-1\.0\.tar\.gz is not what the recipe wants.*\[sha256-mismatch\]/,
    );

    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-C", source, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
        encoding: "utf8",
        env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
      }).trim();
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "first");
    recipe("fetched", `source: {git: "file://${source}", commit: "${git("rev-parse", "HEAD")}"}`, ...rest);
    expect(await make("fetched")).toMatchObject({ status: 0 });
    expect(await catOf("fetched.tcz", "opt/text")).toBe("one\npatched\n");
    recipe("fetched", `source: {git: "file://${source}", commit: "${"1".repeat(40)}"}`, ...rest);
    expect(await failure("fetched")).toMatch(
      /git cannot fetch the commit: .*\[recipe\]\n *where: extensions\/fetched\/recipe\.yaml:2/,
    );
    remove("fetched");
  });

  it("fail with the step's name and its last lines, and a patch that does not apply by its own", async () => {
    recipe("broken", "steps:", "  make: |", "    echo first", "    echo the reason >&2; false");
    const said = await failure("broken");
    expect(said).toMatch(/the step make failed with status 1; it said last:\n {4}first\n {4}the reason/);
    expect(said).toContain("where: extensions/broken/recipe.yaml:3");
    write("broken/src/text", "one\n");
    write("broken/bad.patch", "--- a/text\n+++ b/text\n@@ -1 +1 @@\n-other\n+x\n");
    recipe("broken", "source: src", "patches: [bad.patch]", "steps: {make: 'true', install: 'true'}");
    expect(await failure("broken")).toMatch(/the patch bad\.patch failed with status/);
    recipe("broken", "source: none");
    expect(await failure("broken")).toMatch(/there is no none in the extension's directory/);
    recipe("broken", "build-needs: [compilertc.tcz]");
    expect(await failure("broken")).toMatch(/no extension compilertc\.tcz.*\n.*\n.*compiletc\.tcz/);
    remove("broken");
    const left = readdirSync(workspace.path(".buildcache/v1"), { recursive: true }).map(String);
    expect(left.filter((name) => name.includes(".root"))).toEqual([]);
  });

  it("may need others of the project's own to be built", async () => {
    write("tool/tree/usr/local/bin/generate", "#!/bin/sh\necho generated\n", 0o755);
    write("tool/installed", "#!/bin/sh\necho started >/etc/tool\n");
    recipe(
      "generated",
      "build-needs: [tool]",
      "steps:",
      "  make: generate >out; cat /etc/tool >>out",
      '  install: mkdir -p "$DESTDIR/opt"; cp out "$DESTDIR/opt"',
    );
    expect(await make("generated")).toMatchObject({ status: 0 });
    expect(await catOf("generated.tcz", "opt/out")).toBe("generated\nstarted\n");
    expect(existsSync(made("tool.tcz"))).toBe(false);
  });

  it("pack an extension of the mirror again, without some files and with others", async () => {
    write("bash/tree/usr/local/etc/bashrc", "PS1='mine> '\n");
    recipe("bash", "from: bash.tcz", "remove: ['usr/share/**']");
    const { status, stderr } = await make("bash");
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/extensions\/bash\/recipe\.yaml: bash\.tcz has nothing that matches usr\/share/),
    ]);
    const list = readFileSync(made("bash.tcz.list"), "utf8");
    expect(list).toContain("usr/local/bin/bash\n");
    expect(list).toContain("usr/local/etc/bashrc\n");
    expect(readFileSync(made("bash.tcz.dep"), "utf8")).toMatch(/^libtinfo6\.tcz$/m);
    remove("bash");
  });
});
