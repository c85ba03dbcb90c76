/** Secrets of an image in the cache: readable by their owner only, whatever the umask, also when they are restored. */
import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { commandEnvironment, openWorkspace, type Workspace } from "./workspace.ts";

usesPrograms("xorriso");

describe("a dev image built under umask 000", () => {
  const password = `geheim-${randomBytes(6).toString("hex")}`;
  let workspace: Workspace;
  let printed = "";

  const build = async (): Promise<void> => {
    const { stdout, stderr } = await workspace.build(
      ["iso", "bundle", "--source", "sample", "--iso-version", "0.0.1-umask"],
      { umask: "000", env: commandEnvironment({ MK_BUNDLE_TC_PASSWD: password }) },
    );
    printed += stdout + stderr;
  };

  beforeAll(async () => {
    workspace = await openWorkspace();
    await build();
  }, 600_000);

  const cache = () => workspace.path(".buildcache");

  /** Every file and directory below a directory (absolute), with its permissions. */
  async function modesBelow(directory: string): Promise<ReadonlyMap<string, number>> {
    const modes = new Map<string, number>();
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (!entry.isSymbolicLink()) modes.set(file, (await lstat(file)).mode & 0o7777);
    }
    return modes;
  }

  const readableByOthers = (modes: ReadonlyMap<string, number>) =>
    [...modes].filter(([, mode]) => (mode & 0o077) !== 0).map(([file]) => file);

  /** Outputs that hold the hash or the host keys, packed or not. */
  const secret = [
    ...["dev-access/password-hash", "dev-access/ssh-setup-files.tar.gz", "setup-files/setup.cpio.gz"],
    ...["overlay/overlay.cpio.gz", "overlay-tarball/razor-microkernel-overlay.tar.gz"],
  ];

  /** The store's files with a content, which may be kept as the list of its parts. */
  async function blobsOf(digest: string): Promise<readonly string[]> {
    const blob = path.join(cache(), "v1/store", digest.slice(0, 2), digest.slice(2));
    const parts = await readFile(`${blob}.parts`, "utf8").catch(() => undefined);
    if (parts === undefined) return [blob];
    return (await Promise.all(parts.trim().split("\n").map(blobsOf))).flat();
  }

  async function expectPrivate(): Promise<void> {
    for (const name of secret) {
      const file = path.join(cache(), "v1/out/dev", name);
      expect(((await lstat(file)).mode & 0o7777).toString(8), name).toBe("600");
      const digest = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      for (const blob of await blobsOf(digest))
        expect(((await lstat(blob)).mode & 0o7777).toString(8), `${blob} of ${name}`).toBe("400");
    }
    const hash = await readFile(path.join(cache(), "v1/out/dev/dev-access/password-hash"), "utf8");
    const holds =
      await workspace.$`grep -rlF -e ${hash.trim()} -e ${"PRIVATE KEY-----"} ${path.join(cache(), "v1")}`;
    const holders = holds.stdout.trim().split("\n");
    expect(holders.length).toBeGreaterThan(1);
    const modes = await Promise.all(holders.map(async (file) => (await lstat(file)).mode & 0o077));
    expect(holders.filter((_, index) => modes[index] !== 0)).toEqual([]);
  }

  it("leaves nothing in the cache or in build-files that others may write to", async () => {
    for (const directory of [cache(), workspace.path("build-files"), workspace.path("dev-keys")]) {
      const writable = [...(await modesBelow(directory))].filter(([, mode]) => (mode & 0o022) !== 0);
      expect(writable.map(([file, mode]) => `${file} ${mode.toString(8)}`)).toEqual([]);
    }
    const keys = await modesBelow(workspace.path("dev-keys"));
    expect(readableByOthers(keys).filter((file) => !file.endsWith(".pub"))).toEqual([]);
  });

  it("has the password's hash and the host keys in private files and blobs, built or restored", async () => {
    await expectPrivate();
    await rm(path.join(cache(), "v1/out/dev"), { recursive: true });
    printed = "";
    await build();
    expect(printed).toMatch(/overlay: restored/);
    await expectPrivate();
  });

  it("has the password itself nowhere: not in the cache, not in what was printed", async () => {
    const found = await workspace.$({ nothrow: true })`grep -rlF ${password} ${cache()}`;
    expect(found.stdout).toBe("");
    expect(found.exitCode).toBe(1);
    expect(printed).not.toContain(password);
  });
});
