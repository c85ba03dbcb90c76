/**
 * Damaged files of each format that the commands which look into images read: the answer is a value or a message for the user, within
 * bounds of time and memory.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { compareFiles, describeDifferences } from "../../src/comparison/index.ts";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  digestContent,
  FileTree,
  flattenLayers,
  joinLayers,
  listSquashfs,
  listTarball,
  mergeLayers,
  packSquashfs,
  readInitrd,
  readIsoStructure,
  readIsoTree,
  readSquashfsTree,
  treeFromTarball,
  writeIso,
  writeLayer,
  writeTarball,
} from "../../src/formats/index.ts";
import { measureIso } from "../../tasks/image/size-report.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { cases } from "../support/cases.ts";
import { mutate, mutations } from "./mutation.ts";
import { cpioArchive } from "./raw-cpio.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;
/** More cases take more time. */
const timeout = 120_000 * Number(process.env.RAZOR_MK_FUZZ_TIMES ?? 1);
const mostMs = 10_000;
const mostKilobytes = 512 * 1024;

/** Everything that a tree may hold, in few bytes. */
function variedTree(): FileTree {
  const owner = { mode: 0o755, uid: 3, gid: 50, mtime };
  const content = bytesContent("#!/bin/sh\necho a line\n".repeat(20));
  return new FileTree()
    .addFile("etc/rc.d/start", content, { mtime, mode: 0o755 })
    .addFile("etc/empty", bytesContent(""), { mtime })
    .addFile("usr/share/ein langer Name mit Blanks und ä", bytesContent("text\n"), { mtime })
    .addSymlink("etc/link", "../usr/share", { mtime })
    .set("bin/one", { type: "file", content, linkGroup: "g", ...owner })
    .set("bin/two", { type: "file", content, linkGroup: "g", ...owner })
    .ensureParents({ mtime });
}

function withDevices(tree: FileTree): FileTree {
  const owner = { mode: 0o600, uid: 0, gid: 0, mtime };
  return tree
    .set("dev/console", { type: "char", major: 5, minor: 1, ...owner })
    .set("dev/fifo", { type: "fifo", ...owner })
    .ensureParents({ mtime });
}

/** Tries the reader with damaged copies of a file; `usual` is how many. */
async function damage(
  valid: Buffer,
  usual: number,
  read: (file: string, spool: string) => Promise<unknown>,
  stretches: readonly (readonly [number, number])[] = [[0, valid.length]],
): Promise<void> {
  const [file, spool] = [workspace.path("damaged"), workspace.path("damaged spool")];
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(mutations(stretches.length), async (mutation) => {
      await writeFile(file, mutate(valid, mutation, stretches));
      await mkdir(spool);
      const before = process.cpuUsage();
      const resident = process.memoryUsage().rss / 1024;
      try {
        await read(file, spool);
        answered += 1;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message.length + (error.where ?? "").length).toBeLessThan(1500);
      } finally {
        await rm(spool, { recursive: true, force: true });
      }
      // Time of our own: how much else the machine does is of no account.
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(mostMs);
      expect(process.memoryUsage().rss / 1024 - resident).toBeLessThan(mostKilobytes);
    }),
    cases(usual),
  );
  // When nothing is read any more, nothing behind the first checks was tried.
  expect(answered).toBeGreaterThan(0);
}

/** Reads an extension with all its contents. */
async function readWhole(path: string, size: number): Promise<void> {
  for (const [, node] of await readSquashfsTree({ path, offset: 0, size })) {
    if (node.type === "file") await digestContent(node.content);
  }
}

/** What `task diff` does, down to its lines. */
async function diff(a: string, b: string, spoolDir: string): Promise<void> {
  describeDifferences(await compareFiles(a, b, { spoolDir }), { a: "a", b: "b" });
}

describe("a damaged file gives an answer or a message for the user", { timeout }, () => {
  let iso = "";
  let initrd = "";
  let tarball = "";
  beforeAll(async () => {
    const layers = [workspace.path("lower.gz"), workspace.path("upper.cpio")];
    await writeLayer(withDevices(variedTree()), layers[0] ?? "");
    await writeLayer(variedTree().addFile("etc/more", bytesContent("more\n"), { mtime }), layers[1] ?? "", {
      level: "none",
    });
    const { $ } = workspace;
    const root = workspace.path("root");
    await $`mkdir -p ${`${root}/boot/deep/er`} && ln -sf ../x ${`${root}/link`} && cp ${layers[1] ?? ""} ${`${root}/a long name with blanks.txt`}`;
    initrd = `${root}/boot/core.gz`;
    await joinLayers(layers, initrd);
    iso = workspace.path("valid.iso");
    await writeIso($, {
      root,
      out: iso,
      epoch: mtime,
      volumeId: "FUZZ",
      applicationId: "TEST",
      systemId: "LINUX",
    });
    tarball = workspace.path("valid.tar");
    const packed = workspace.path("valid.tar.gz");
    await writeTarball(variedTree(), packed);
    await $`sh -c ${'gzip -dc "$0" > "$1"'} ${packed} ${tarball}`;
  });

  it("an ISO, in its descriptors, partition tables and directories", async () => {
    const valid = await readFile(iso);
    const read = async (file: string): Promise<void> => {
      await readIsoStructure(file);
      await readIsoTree(file);
    };
    await damage(valid, 600, read, [
      [0, 1024],
      [16 * 2048, 20 * 2048],
      [16 * 2048 + 150, 16 * 2048 + 192],
      [20 * 2048, valid.length],
      [20 * 2048, Math.min(valid.length, 60 * 2048)],
    ]);
  });

  it("an ISO whose bytes are measured", async () => {
    const valid = await readFile(iso);
    await damage(valid, 150, (file, spool) => measureIso(file, valid.length, spool));
  });

  it("an initrd, plain and packed, merged and flattened", async () => {
    const read = async (file: string, spoolDir: string): Promise<void> => {
      const trees = (await readInitrd(file, { spoolDir })).map(({ tree }) => tree);
      mergeLayers(trees);
      flattenLayers(trees);
    };
    await damage(await readFile(initrd), 200, read);
    const plain = cpioArchive([
      { name: "d", mode: 0o040755 },
      { name: "d/a", ino: 7, nlink: 2 },
      { name: "d/b", ino: 7, nlink: 2, content: "bytes" },
      { name: "d/link", mode: 0o120777, content: "../d" },
      { name: "dev", mode: 0o020600 },
    ]);
    await damage(plain, 600, read);
    // Damage behind the checksums of gzip.
    await damage(plain, 200, async (file, spool) => {
      await writeFile(file, gzipSync(await readFile(file)));
      await read(file, spool);
    });
  });

  it("a tarball, listed and unpacked", async () => {
    await damage(await readFile(tarball), 400, async (file, spool) => {
      await listTarball(file);
      await treeFromTarball(file, spool, {
        devices: true,
        setId: true,
        attributes: true,
        links: "any",
        anyBytes: true,
      });
    });
  });

  it("either of two files that are compared", async () => {
    for (const [valid, usual] of [
      [iso, 40],
      [initrd, 80],
      [tarball, 80],
    ] as const) {
      await damage(await readFile(valid), usual, (file, spool) => diff(valid, file, spool));
      await damage(await readFile(valid), Math.ceil(usual / 3), (file, spool) => diff(file, valid, spool));
    }
  });

  it("an extension, listed and read", async () => {
    const { $ } = workspace;
    const [from, valid] = [workspace.path("squashed"), workspace.path("valid.tcz")];
    await $`mkdir -p ${`${from}/usr/bin`} && ln -sf bin ${`${from}/usr/link`} && cp ${initrd} ${`${from}/usr/bin/file`}`;
    await packSquashfs($, from, valid, { epoch: mtime });
    const bytes = await readFile(valid);
    await damage(bytes, 600, (file) => readWhole(file, bytes.length), [
      [0, 96],
      [96, bytes.length - 400],
      [bytes.length - 400, bytes.length],
    ]);
    // Behind the superblock are contents; the tables are at the end (the last 200 bytes and more).
    await damage(bytes, 20, (file) => listSquashfs($, file), [
      [0, 96],
      [96, bytes.length - 400],
      [bytes.length - 400, bytes.length],
    ]);
  });
});
