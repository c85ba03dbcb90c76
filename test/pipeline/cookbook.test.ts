/** Every recipe of docs/cookbook.md, as a reader would paste it, in a copy of this project. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { readImage } from "./image.ts";
import {
  checkout,
  commandEnvironment,
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  type Workspace,
} from "./workspace.ts";

usesPrograms("mksquashfs", "ssh-keygen", "unshare", "xorriso");

const page = readFileSync(path.join(checkout, "docs/cookbook.md"), "utf8");
/** The shell text of each recipe by its heading. */
const recipes = new Map(
  page.split(/^## /m).flatMap((section): [string, string][] => {
    const [, title = "", script] = /^(.+)\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(section) ?? [];
    return script === undefined ? [] : [[title, script]];
  }),
);

describe("the cookbook", () => {
  let workspace: Workspace;
  let directory = "";
  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["iso", "--source", "sample"]);
    directory = await makeDirectory("cookbook");
    workspace = await copyWorkspace(built, path.join(directory, "my image"));
  });
  afterAll(() => removeDirectory(directory));

  /** Runs a recipe; `npx task` is the workspace's own command. Throws with all that was printed unless it succeeds. */
  async function cook(title: string): Promise<string> {
    const script = `npx() { shift; "$NODE" "$PROGRAM" "$@"; }\nset -e\n${recipes.get(title) ?? "false"}`;
    const done = await workspace.$({
      cwd: workspace.root,
      env: { ...commandEnvironment(), NODE: process.execPath, PROGRAM: workspace.path("bin/task.js") },
      nothrow: true,
    })`sh -c ${script}`;
    expect(done.exitCode, `${title}\n${done.stdout}${done.stderr}`).toBe(0);
    return `${done.stdout}${done.stderr}`;
  }

  const isoIn = (said: string): string => {
    const names = [...said.matchAll(/^(build-files\/\S+\.iso) {2}/gm)].map(([, name = ""]) => name);
    return workspace.path(names.at(-1) ?? "no ISO");
  };
  const imageOf = (said: string) =>
    readImage(workspace.$, isoIn(said), path.join(directory, `image ${readdirSync(directory).length}`));

  it("has these recipes, each with a command", () => {
    expect([...recipes.keys()]).toEqual([
      "Add an extension",
      "Add a script that runs at boot",
      "Keep the settings in a file",
      "Set a password of your own",
      "Add a program of your own",
      "Compile a program of your own",
      "Add a user who logs in by key",
      "Change what Core has",
      "Name the image",
      "Release a production image",
      "Leave parts out",
      "See what differs between two images",
      "Look into an image",
      "Boot over the network",
      "Make the ISO on a machine without Node",
      "Tell another program what was built",
    ]);
  });

  it("adds an extension", async () => {
    const said = await cook("Add an extension");
    expect(said).toContain("lists/builtin-extensions.lst changed: openssl.tcz added");
    const { tree } = await imageOf(said);
    expect(tree.has("tmp/builtin/optional/openssl.tcz")).toBe(true);
  });

  it("adds a script that runs at boot", async () => {
    const { tree } = await imageOf(await cook("Add a script that runs at boot"));
    expect((await tree.read("opt/bootlocal.sh")).toString()).toContain("belongs to the lab");
    expect((tree.get("opt/bootlocal.sh")?.mode ?? 0) & 0o777).toBe(0o755);
  });

  it("keeps the settings in a file", async () => {
    const said = await cook("Keep the settings in a file");
    expect(said).toContain("build-files/rz_mk_debug-image.");
    expect((await imageOf(said)).tree.has("usr/local/mcollective")).toBe(false);
  });

  it("sets a password of one's own", async () => {
    const said = await cook("Set a password of your own");
    expect(said).not.toMatch(/correct horse|test1234/);
    expect((await (await imageOf(said)).tree.read("etc/shadow")).toString()).toMatch(/^tc:\$6\$/m);
  });

  it("adds programs of one's own, one of them compiled", async () => {
    const { tree } = await imageOf(await cook("Add a program of your own"));
    expect(tree.has("tmp/builtin/optional/hello.tcz")).toBe(true);
    const said = await cook("Compile a program of your own");
    expect((await imageOf(said)).tree.has("tmp/builtin/optional/answer.tcz")).toBe(true);
  });

  it("adds a user who logs in by key", async () => {
    const { tree } = await imageOf(await cook("Add a user who logs in by key"));
    expect((await tree.read("home/operator/.ssh/authorized_keys")).toString()).toMatch(/ operator\n$/);
  });

  it("changes what Core has", async () => {
    const { tree } = await imageOf(await cook("Change what Core has"));
    expect((await tree.read("etc/hostname")).toString()).toBe("kiosk\n");
    expect((await tree.read("etc/issue")).toString()).toMatch(/Version \d/);
    expect(tree.get("opt/kiosk")?.type).toBe("directory");
  });

  it("names the image", async () => {
    expect(await cook("Name the image")).toContain("build-files/kiosk-dev-1.4.0.iso");
    rmSync(workspace.path("lists/image.yaml"));
  });

  it("releases a production image", async () => {
    const said = await cook("Release a production image");
    expect(said).toContain("build-files/rz_mk_prod-image.1.2.0.iso");
    expect(said).toContain("build-files/razor-microkernel-bundle-prod.tar.gz");
  });

  it("leaves parts out", async () => {
    const { tree } = await imageOf(await cook("Leave parts out"));
    const names = [...tree].map(([name]) => name);
    expect(names.filter((name) => /mcollective-2|opt\/rubygems-/.test(name))).toEqual([]);
  });

  it("shows what differs between two images", async () => {
    expect(await cook("See what differs between two images")).toContain("mk_checkin_interval: 30");
  });

  it("looks into an image", async () => {
    const said = await cook("Look into an image");
    expect(said).toMatch(/etc\/init\.d\/\S+ {2}\[layer /);
    expect(said).toContain("tc:x:1001:");
    expect(existsSync(workspace.path("image-etc/etc/passwd"))).toBe(true);
  });

  it("makes what a network boot needs", async () => {
    expect(await cook("Boot over the network")).toContain("boot.ipxe");
  });

  it("makes the ISO from a bundle", async () => {
    await cook("Make the ISO on a machine without Node");
    const isos = readdirSync(workspace.path("elsewhere"), { recursive: true, encoding: "utf8" });
    expect(isos.filter((name) => /1\.3\.0.*\.iso$/.test(name))).toHaveLength(1);
  });

  it("tells another program what was built", async () => {
    const said = await cook("Tell another program what was built");
    const [, name = ""] = /^[0-9a-f]{64} {2}(\S+\.iso)$/m.exec(said) ?? [];
    expect(existsSync(workspace.path(name))).toBe(true);
  });
});
