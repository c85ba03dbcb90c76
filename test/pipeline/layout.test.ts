/** Initrds of layers and single archives: the same image, and the one where the other cannot be. */
import { createHash } from "node:crypto";
import { appendFile, copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesContent, FileTree, writeLayer } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { describeTree, type Image, readImage } from "./image.ts";
import {
  epoch,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("xorriso");

describe("the initrd of an image", () => {
  let workspace: Workspace;
  let directory = "";
  let layered: Image;
  const images: string[] = [];

  const sample = ["--source", "sample", "--iso-version", version, "--source-date-epoch", `${epoch}`];

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("layout");
    await workspace.build(["iso", ...sample]);
    layered = await read();
  });

  afterAll(() => removeDirectory(directory));

  /** The dev image as it was built last. */
  async function read(iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`)): Promise<Image> {
    images.push(iso);
    return await readImage(workspace.$, iso, path.join(directory, `image ${images.length}`));
  }

  it("is a single archive with --layout single, which holds what the layers hold", async () => {
    await workspace.build(["iso", ...sample, "--layout", "single"]);
    const single = await read();
    expect(single.members).toHaveLength(1);
    expect(single.members[0]?.compression).toBe("gzip");
    expect(layered.members.length).toBeGreaterThan(1);
    expect(await describeTree(single.tree)).toEqual(await describeTree(layered.tree));
    expect(single.entries.map((entry) => entry.path)).toEqual(layered.entries.map((entry) => entry.path));
    const again = await workspace.build(["iso", ...sample, "--layout", "single"]);
    expect(again.stderr).toMatch(/nothing to do/);
  });

  it("becomes a single archive where layers cannot do what the overlay means, and one line says why", async () => {
    const overlay = path.join(directory, "an overlay");
    await cp(workspace.path("overlay-src"), overlay, { recursive: true });
    await writeFile(path.join(overlay, "etc/skel"), "no directory any more\n");
    const args = [...sample, "--overlay", overlay];
    const { stderr } = await workspace.build(["iso", ...args]);
    const why = "etc/skel of the overlay is lost: a lower layer has a directory there that is not empty";
    expect(stderr.split("\n").filter((line) => line.includes("single archive"))).toEqual([
      `note: the initrd becomes a single archive, which every edit packs again: ${why}`,
    ]);
    const { tree, members } = await read();
    expect(members).toHaveLength(1);
    expect((await tree.read("etc/skel")).toString()).toBe("no directory any more\n");
    const wanted = new Map(await describeTree(layered.tree));
    for (const name of wanted.keys()) if (/^etc\/skel(\/|$)/.test(name)) wanted.delete(name);
    const found = new Map(await describeTree(tree));
    found.delete("etc/skel");
    expect(found).toEqual(wanted);

    const refused = await workspace.task(["bundle", ...args]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`the layers of the bundle conflict: ${why}`);
    expect(refused.stderr).toMatch(/hint: .*task iso/);
  });

  it("is the same from a bundle and as a single archive, where the overlay replaces one name of a hard-linked file", async () => {
    const iso = await coreWithHardLinks(path.join(directory, "core.iso"));
    const overlay = path.join(directory, "another overlay");
    await cp(workspace.path("overlay-src"), overlay, { recursive: true });
    await mkdir(path.join(overlay, "opt/linked"), { recursive: true });
    await writeFile(path.join(overlay, "opt/linked/b"), "replaced\n");
    // Another Core is pinned in a lock of its own.
    const lock = path.join(directory, "sources.lock.json");
    await copyFile(workspace.path(".buildcache/sample.lock.json"), lock);
    const args = [...sample, "--overlay", overlay, "--tcl-iso-url", pathToFileURL(iso).href, "--lock", lock];
    await workspace.build(["iso", "bundle", ...args]);
    const ours = await read();
    const text = async (image: Image, name: string) =>
      (await image.tree.read(`opt/linked/${name}`)).toString();
    expect([await text(ours, "a"), await text(ours, "b"), await text(ours, "c")]).toEqual([
      "old\n",
      "replaced\n",
      "old\n",
    ]);
    const wanted = await describeTree(ours.tree);

    const elsewhere = path.join(directory, "elsewhere");
    await mkdir(elsewhere);
    const bundle = path.join(directory, "bundle.tar.gz");
    await copyFile(workspace.path("build-files/razor-microkernel-bundle-dev.tar.gz"), bundle);
    await workspace.$({
      cwd: elsewhere,
    })`sh -c ${'tar xzf "$1" && ./build_initial_directories.sh && ./rebuild_iso.sh'} sh ${bundle}`;
    const scripted = await read(path.join(elsewhere, `rz_mk_dev-image.${version}.iso`));
    expect(await describeTree(scripted.tree)).toEqual(wanted);

    await workspace.build(["rebuild-iso", "--bundle", bundle]);
    expect(await describeTree((await read()).tree)).toEqual(wanted);

    await workspace.build(["iso", ...args, "--layout", "single"]);
    const single = await read();
    expect(single.members).toHaveLength(1);
    expect(await describeTree(single.tree)).toEqual(wanted);
  });

  /** The sample's Core ISO, whose initrd has three names of one file more; its md5 lies beside it. */
  async function coreWithHardLinks(iso: string): Promise<string> {
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso");
    const tree = new FileTree();
    for (const name of ["a", "b", "c"]) {
      const content = bytesContent("old\n");
      tree.set(`opt/linked/${name}`, {
        type: "file",
        content,
        linkGroup: "g",
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: epoch,
      });
    }
    const layer = path.join(directory, "linked.gz");
    await writeLayer(tree.ensureParents({ mtime: epoch }), layer);
    const initrd = path.join(directory, "corepure64.gz");
    await copyFile(path.join(core, "boot/corepure64.gz"), initrd);
    await appendFile(initrd, await readFile(layer));
    await rm(iso, { force: true });
    await workspace.$`xorriso -no_rc -indev ${path.join(core, "Core-current.iso")} -outdev ${iso} -boot_image any replay -update ${initrd} /boot/corepure64.gz`;
    const md5 = createHash("md5")
      .update(await readFile(iso))
      .digest("hex");
    await writeFile(`${iso}.md5.txt`, `${md5}  ${path.basename(iso)}\n`);
    return iso;
  }
});
