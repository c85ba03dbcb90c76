/** The bundle's archive writer gives files the owners that the build gives them. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { noLimits, readInitrd } from "../../src/formats/index.ts";
import { imagePolicy } from "../../tasks/image/image-tree.ts";
import { useWorkspace } from "../formats/workspace.ts";

const workspace = useWorkspace();

it("owners and modes in a bundle's archive are those of the build's own", async () => {
  const root = workspace.path("root");
  const files = {
    "home/tc/.ssh/authorized_keys": 0o600,
    "home/tc/.profile": 0o644,
    "etc/sudoers": 0o440,
    "usr/local/tce.installed/tool": 0o755,
    "usr/local/bin/su": 0o4755,
  };
  for (const [name, mode] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), name);
    await chmod(path.join(root, name), mode);
  }
  await chmod(path.join(root, "home/tc/.ssh"), 0o700);
  const script = path.resolve("tasks/bundle/write_newc.sh");
  const archive = workspace.path("archive.cpio");
  await workspace.$`sh ${script} ${root} 0 > ${archive}`;
  const [member] = await readInitrd(archive, { spoolDir: workspace.path("spool"), limits: noLimits });
  for (const [name, mode] of Object.entries({ ...files, "home/tc/.ssh": 0o700 })) {
    const node = member?.tree.get(name);
    const type = node?.type === "directory" ? "directory" : "file";
    const { uid, gid } = imagePolicy(name, { type, executable: false, diskMode: mode });
    expect(node, name).toMatchObject({ mode, uid, gid });
  }
});
