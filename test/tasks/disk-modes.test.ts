/** Which modes on disk somebody set, and which a umask made. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  commonUmask,
  type DiskMode,
  meaningfulModes,
  readDiskModes,
  unexplainedModes,
} from "../../tasks/settings/disk-modes.ts";
import { useWorkspace } from "../formats/workspace.ts";

const workspace = useWorkspace();

/** A checkout under this umask: git records 0644 and 0755. */
function checkout(umask: number): readonly DiskMode[] {
  return [
    { path: "etc", type: "directory", mode: 0o777 & ~umask },
    { path: "etc/hosts", type: "file", mode: 0o666 & ~umask },
    { path: "usr", type: "directory", mode: 0o777 & ~umask },
    { path: "usr/run", type: "file", mode: 0o777 & ~umask },
    { path: "usr/data", type: "file", mode: 0o666 & ~umask },
  ];
}

const file = (mode: number): DiskMode => ({ path: "one", type: "file", mode });
const directory = (mode: number): DiskMode => ({ path: "one", type: "directory", mode });

describe("a checkout", () => {
  it.each([0o000, 0o002, 0o022, 0o007, 0o027, 0o077])(
    "under the umask %o has no mode that counts",
    (umask) => {
      expect(commonUmask(checkout(umask))).toBe(umask & 0o066 ? umask : 0);
      expect(meaningfulModes(checkout(umask), 0o755)).toEqual([]);
      expect(unexplainedModes(checkout(umask))).toEqual([]);
    },
  );

  it.each([
    ["a set-user-id file", 0o022, file(0o4755)],
    ["a set-group-id file under a tight umask", 0o077, file(0o2700)],
    ["a directory with the sticky bit", 0o022, directory(0o1777)],
    ["a closed file among readable ones", 0o022, file(0o600)],
    ["a file closed to others among readable ones", 0o002, file(0o640)],
    ["a file without any permission", 0o022, file(0)],
    ["a closed directory among readable ones", 0o022, directory(0o700)],
    ["a directory that all may write", 0o022, directory(0o777)],
  ])("has %s that counts", (_name, umask, one) => {
    expect(meaningfulModes([...checkout(umask), one], 0o755)).toEqual([one]);
    expect(unexplainedModes([...checkout(umask), one])).toEqual([one]);
  });

  it.each([
    ["a file that only the group may write too", 0o022, file(0o664)],
    ["a file that nobody may write", 0o022, file(0o444)],
    ["a script that only its owner may run", 0o022, file(0o744)],
    ["a readable file among closed ones", 0o077, file(0o644)],
  ])("has %s, which means nothing in the image but is no umask's either", (_name, umask, one) => {
    expect(meaningfulModes([...checkout(umask), one], 0o755)).toEqual([]);
    expect(unexplainedModes([...checkout(umask), one])).toEqual([one]);
  });

  it("in a directory with the set-group-id bit has directories that inherit it", () => {
    const inherited = directory(0o2755);
    expect(meaningfulModes([...checkout(0o022), inherited], 0o2755)).toEqual([]);
    expect(meaningfulModes([...checkout(0o022), inherited], 0o755)).toEqual([inherited]);
  });
});

it("modes are read from the disk, without what a project's top ignores", async () => {
  const root = workspace.path("modes");
  for (const name of [".git", "etc/.git"]) await mkdir(path.join(root, name), { recursive: true });
  for (const name of [".git/config", "etc/su", "etc/.git/x"]) await writeFile(path.join(root, name), "");
  await chmod(path.join(root, "etc/su"), 0o4711);
  const modes = readDiskModes(root, new Set([".git"]));
  expect(modes.map(({ path: name }) => name)).toEqual(["etc", "etc/.git", "etc/.git/x", "etc/su"]);
  expect(modes.at(-1)).toEqual({ path: "etc/su", type: "file", mode: 0o4711 });
  expect(readDiskModes(workspace.path("none"), new Set())).toEqual([]);
});
