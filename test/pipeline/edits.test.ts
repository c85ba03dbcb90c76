/** An image with edits of all kinds: patched, without files of Core, with files of extensions, and with what scripts made. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { readImage } from "./image.ts";
import {
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("patch", "unshare", "xorriso");

const options = ["--source", "sample", "--iso-version", version];

describe("an image with lists/edits.yaml", () => {
  let directory = "";
  let workspace: Workspace;
  const edit = (...lines: readonly string[]): void =>
    writeFileSync(workspace.path("lists/edits.yaml"), lines.map((line) => `- ${line}\n`).join(""));
  const own = (name: string, text: string): void => {
    mkdirSync(workspace.path("edits"), { recursive: true });
    writeFileSync(workspace.path(`edits/${name}`), text);
  };
  const image = async () =>
    await readImage(
      workspace.$,
      workspace.path(`build-files/rz_mk_dev-image.${version}.iso`),
      path.join(directory, `image ${readdirSync(directory).length}`),
    );

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["iso", ...options]);
    directory = await makeDirectory("edits");
    workspace = await copyWorkspace(built, path.join(directory, "the workspace"));
  }, 1_200_000);
  afterAll(() => removeDirectory(directory));

  it("has what a script made in the image's files: changed, new and removed ones, with their owners", async () => {
    own(
      "set-up.sh",
      `set -e
echo "kiosk" >/etc/hostname
chmod 600 /etc/hostname
mkdir -p /opt/kiosk && ln -s /bin/busybox /opt/kiosk/shell
test "$(uname -r)" = "$KERNEL"
echo "$VERSION" >/opt/kiosk/variant
`,
    );
    edit("run: set-up.sh", "append: {file: etc/hostname, text: 'after'}");
    await workspace.build(["iso", ...options]);
    const { tree } = await image();
    expect((await tree.read("etc/hostname")).toString()).toBe("kiosk\nafter\n");
    expect(tree.get("etc/hostname")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
    expect(tree.get("opt/kiosk/shell")).toMatchObject({ type: "symlink", target: "/bin/busybox" });
    const changed = (await workspace.build(["overlay", ...options, "--force"])).stderr;
    expect(changed).toContain("overlay");
  });

  it("has the same bytes when the script runs again", async () => {
    const iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
    const first = await sha256(iso);
    await workspace.build(["iso", ...options, "--force", "overlay"]);
    expect(await sha256(iso)).toBe(first);
  });

  it("takes and unpacks files of extensions; start scripts have run", async () => {
    mkdirSync(workspace.path("extensions/tool/tree/usr/local/bin"), { recursive: true });
    writeFileSync(workspace.path("extensions/tool/tree/usr/local/bin/tool"), "#!/bin/sh\n");
    writeFileSync(workspace.path("extensions/tool/installed"), "#!/bin/sh\necho started >/etc/tool.conf\n");
    edit(
      "take: {from: dmidecode.tcz, files: usr/local/sbin/dmidecode, to: opt/tools}",
      "unpack: tool.tcz",
      "append: {file: usr/local/bin/tool, text: 'exit 3'}",
    );
    const { stderr } = await workspace.build(["iso", ...options]);
    expect(stderr).toMatch(/taken-extensions: rebuilt/);
    const { tree } = await image();
    expect(tree.get("opt/tools/dmidecode")).toMatchObject({ type: "file", mode: 0o755 });
    expect((await tree.read("usr/local/bin/tool")).toString()).toBe("#!/bin/sh\nexit 3\n");
    expect((await tree.read("etc/tool.conf")).toString()).toBe("started\n");
    expect((await tree.read("usr/local/tce.installed/tool")).length).toBe(0);
    expect(tree.has("tmp/builtin/optional/tool.tcz")).toBe(false);
  });

  it("does without files of Core, and says what that costs", async () => {
    const { tree: before } = await image();
    expect(before.has("etc/inittab")).toBe(true);
    edit("remove: etc/inittab", "substitute: {file: opt/version}");
    writeFileSync(workspace.path("overlay-src/opt/version"), "{VERSION} {VARIANT}\n");
    const { stderr } = await workspace.build(["iso", ...options]);
    expect(stderr).toContain(
      "the initrd becomes a single archive, which every edit packs again: edits remove etc/inittab of what lies below the overlay",
    );
    const { tree } = await image();
    expect(tree.has("etc/inittab")).toBe(false);
    expect(tree.has("etc/passwd")).toBe(true);
    expect((await tree.read("opt/version")).toString()).toBe(`${version} dev\n`);
    const bundle = await workspace.task(["bundle", ...options]);
    expect([bundle.status, bundle.stderr]).toEqual([1, expect.stringContaining("edits remove etc/inittab")]);
  });

  it("fails by name where a script or a patch fails", async () => {
    own("set-up.sh", "echo the reason >&2; exit 4\n");
    edit("run: set-up.sh");
    const run = await workspace.task(["overlay", ...options]);
    expect([run.status, run.stderr]).toEqual([
      1,
      expect.stringMatching(
        /the script set-up\.sh failed: status 4, the reason \[edits\]\n *where: lists\/edits\.yaml:1/,
      ),
    ]);
    own("fix.patch", "--- a/etc/passwd\n+++ b/etc/passwd\n@@ -1 +1 @@\n-nobody:here\n+x\n");
    edit("patch: fix.patch");
    const patch = await workspace.task(["overlay", ...options]);
    expect([patch.status, patch.stderr]).toEqual([
      1,
      expect.stringMatching(
        /the patch fix\.patch does not apply: .*\[edits\]\n *where: lists\/edits\.yaml:1/,
      ),
    ]);
    rmSync(workspace.path("lists/edits.yaml"));
    await workspace.build(["iso", ...options]);
  });
});
