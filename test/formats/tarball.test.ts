import { link, mkdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { Header, type HeaderData } from "tar";
import { describe, expect, test } from "vitest";
import {
  bytesContent,
  compareNames,
  decodeName,
  encodeName,
  FileTree,
  listTarball,
  type TarballPolicy,
  treeFromTarball,
  writeTarball,
} from "../../src/formats/index.ts";
import { cases } from "../support/cases.ts";
import { arbitraryTree } from "./arbitrary-tree.ts";
import { useWorkspace } from "./workspace.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const everything = { devices: true, setId: true, links: "any" } as const;

function sample(): FileTree {
  return new FileTree()
    .addFile("etc/shadow", bytesContent("tc:*:::::::\n"), { mtime, mode: 0o600 })
    .addFile(`opt/${"long-name-".repeat(12)}/file`, bytesContent("long"), { mtime })
    .addFile("opt/ünïcode", bytesContent("text"), { mtime })
    .addDirectory("usr/local/tce.installed", { mtime, mode: 0o775, gid: 50 })
    .addDirectory("tmp", { mtime, mode: 0o1777 })
    .addSymlink("usr/sbin/dmidecode", "/usr/local/sbin/dmidecode", { mtime })
    .ensureParents({ mtime });
}

describe("writing a tarball", () => {
  test("gives what tar lists: modes, owners by name, times, long and foreign names", async () => {
    const path = workspace.path("sample.tar.gz");
    await writeTarball(sample(), path);
    const { stdout } = await workspace.$`tar --utc --quoting-style=literal -tvzf ${path}`;
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " "));
    const time = "2023-11-14 22:13";
    expect(lines).toEqual([
      `drwxr-xr-x root/root 0 ${time} etc/`,
      `-rw------- root/root 12 ${time} etc/shadow`,
      `drwxr-xr-x root/root 0 ${time} opt/`,
      `drwxr-xr-x root/root 0 ${time} opt/${"long-name-".repeat(12)}/`,
      `-rw-r--r-- root/root 4 ${time} opt/${"long-name-".repeat(12)}/file`,
      `-rw-r--r-- root/root 4 ${time} opt/ünïcode`,
      `drwxrwxrwt root/root 0 ${time} tmp/`,
      `drwxr-xr-x root/root 0 ${time} usr/`,
      `drwxr-xr-x root/root 0 ${time} usr/local/`,
      `drwxrwxr-x root/staff 0 ${time} usr/local/tce.installed/`,
      `drwxr-xr-x root/root 0 ${time} usr/sbin/`,
      `lrwxrwxrwx root/root 0 ${time} usr/sbin/dmidecode -> /usr/local/sbin/dmidecode`,
    ]);
  });

  test("gives the same bytes whatever the order entries were added in and the umask", async () => {
    const before = process.umask(0o077);
    try {
      const one = await writeTarball(sample(), workspace.path("one.tar.gz"));
      process.umask(0o022);
      const two = await writeTarball(new FileTree([...sample()].reverse()), workspace.path("two.tar.gz"));
      expect(two).toEqual(one);
      expect((await stat(workspace.path("one.tar.gz"))).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });

  test("uses plain ustar where that can hold the names", async () => {
    const path = workspace.path("plain.tar");
    const tree = new FileTree().addFile(`${"d".repeat(80)}/${"f".repeat(80)}`, bytesContent("x"), { mtime });
    expect((await writeTarball(tree, path, { level: "none" })).size).toBe(4 * 512);
  });

  test("refuses a name that is not valid UTF-8", async () => {
    const tree = new FileTree().addFile(decodeName(Buffer.of(0x61, 0xe9)), bytesContent(""), { mtime });
    await expect(writeTarball(tree, workspace.path("no.tar"))).rejects.toMatchObject({
      code: "name-not-utf8",
      where: "a\\xe9",
    });
  });

  test("any tree comes back as it was, and tar sees as many entries", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTree({ anyBytes: false }), fc.boolean(), async (tree, compressed) => {
        const path = workspace.path("any.tar");
        await writeTarball(tree, path, { level: compressed ? 6 : "none" });
        const found = await treeFromTarball(path, workspace.path("any spool"), everything);
        expect(found.paths()).toEqual(tree.paths());
        expect(await found.digest()).toBe(await tree.digest());
        if (!compressed) {
          const inPlace = await treeFromTarball(path, "", { ...everything, inPlace: true });
          expect(await inPlace.digest()).toBe(await tree.digest());
        }
        const { stdout } = await workspace.$`tar --quoting-style=c -tf ${path}`;
        expect(stdout.split("\n").filter((line) => line !== "").length).toBe(tree.size);
      }),
      cases(50),
    );
  });
});

/** A tarball of hand-made headers: the package's own packer would not write most of them. */
async function craft(name: string, members: readonly (HeaderData & { readonly body?: string })[]) {
  const blocks: Buffer[] = [];
  for (const { body = "", ...data } of members) {
    const header = new Header({ mode: 0o644, type: "File", size: body.length, ...data });
    header.encode();
    blocks.push(header.block ?? Buffer.alloc(0), Buffer.from(body));
    blocks.push(Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  const path = workspace.path(name);
  await writeFile(path, Buffer.concat([...blocks, Buffer.alloc(1024)]));
  return path;
}

async function refusal(path: string, policy: TarballPolicy = {}): Promise<unknown> {
  return await treeFromTarball(path, workspace.path("hostile spool"), policy).then(
    () => "accepted",
    (error: unknown) => (error instanceof Error && "code" in error ? `${error.code}` : error),
  );
}

describe("reading a tarball that means harm", () => {
  test("refuses names, links and nodes that reach outside, each named", async () => {
    const cases = [
      [[{ path: "/etc/passwd" }], "unsafe-name"],
      [[{ path: "a/../../b" }], "unsafe-name"],
      [[{ path: "a", type: "SymbolicLink", linkpath: "/etc" }], "unsafe-link"],
      [[{ path: "a", type: "SymbolicLink", linkpath: "../x" }], "unsafe-link"],
      [[{ path: "a", type: "SymbolicLink", linkpath: "b" }, { path: "a/c" }], "unsafe-link"],
      [[{ path: "a/c" }, { path: "a", type: "SymbolicLink", linkpath: "b" }], "unsafe-link"],
      [
        [
          { path: "here", type: "SymbolicLink", linkpath: "." },
          { path: "up", type: "SymbolicLink", linkpath: "here/.." },
        ],
        "unsafe-link",
      ],
      [[{ path: "a", type: "Link", linkpath: "../../etc/passwd" }], "unsafe-name"],
      [[{ path: "a", type: "Link", linkpath: "none" }], "unsafe-link"],
      [[{ path: "null", type: "CharacterDevice", devmaj: 1, devmin: 3 }], "unsafe-entry"],
      [[{ path: "pipe", type: "FIFO" }], "unsafe-entry"],
      [[{ path: "su", mode: 0o4755 }], "unsafe-entry"],
      [[{ path: "a" }, { path: "./a" }], "duplicate-entry"],
    ] as const;
    for (const [members, code] of cases) {
      expect(await refusal(await craft("hostile.tar", members)), JSON.stringify(members)).toBe(code);
    }
  });

  test("refuses extended attributes, which an image would lose, unless they are a machine's own notes", async () => {
    const path = workspace.path("attributes.tar");
    await writeFile(workspace.path("ping"), "ping");
    const pack = async (attribute: string) => {
      const option = `--pax-option=SCHILY.xattr.${attribute}:=value`;
      await workspace.$`tar --format=pax ${option} -C ${workspace.path(".")} -cf ${path} ping`;
    };
    await pack("security.capability");
    await expect(treeFromTarball(path, workspace.path("spool"))).rejects.toMatchObject({
      code: "unsafe-entry",
      message: expect.stringContaining("ping has the extended attribute security.capability,"),
    });
    expect(await refusal(path, { attributes: true })).toBe("accepted");
    await pack("security.selinux");
    expect(await refusal(path)).toBe("accepted");
  });

  test("accepts on request what an image may hold", async () => {
    const image = await craft("image.tar", [
      { path: "null", type: "CharacterDevice", devmaj: 1, devmin: 3 },
      { path: "su", mode: 0o4755 },
      { path: "dmidecode", type: "SymbolicLink", linkpath: "/usr/local/sbin/dmidecode" },
    ]);
    expect(await refusal(image, { devices: true, setId: true, links: "image" })).toBe("accepted");
    const climbing = await craft("climbing.tar", [{ path: "a", type: "SymbolicLink", linkpath: "/../.." }]);
    expect(await refusal(climbing, { links: "image" })).toBe("unsafe-link");
    expect(await refusal(climbing, { links: "any" })).toBe("accepted");
  });

  test("refuses bombs, by ratio, by size and by the number of entries", async () => {
    const path = workspace.path("bomb.tar.gz");
    const tree = new FileTree().addFile("zeros", bytesContent(Buffer.alloc(8 * 1024 * 1024)), { mtime });
    await writeTarball(tree, path);
    expect(await refusal(path)).toBe("bomb");
    expect(await refusal(path, { maxRatio: 5000 })).toBe("accepted");
    expect(await refusal(path, { maxRatio: 5000, maxBytes: 1024 * 1024 })).toBe("bomb");
    await expect(listTarball(path)).rejects.toMatchObject({ code: "bomb", where: path });
    await writeTarball(sample(), path);
    expect(await refusal(path, { links: "any", maxEntries: sample().size })).toBe("accepted");
    expect(await refusal(path, { links: "any", maxEntries: sample().size - 1 })).toBe("bomb");
  });

  test("refuses what is damaged, cut off, or no tarball", async () => {
    const path = workspace.path("damaged.tar");
    await writeTarball(sample(), path, { level: "none" });
    const whole = await readFile(path);
    const chunks: readonly (readonly [string, Uint8Array])[] = [
      ["checksum", Buffer.concat([Buffer.from("x"), whole.subarray(1)])],
      ["page", Buffer.from("<html>not found</html>")],
      ["nothing", Buffer.alloc(0)],
      ["gzip in gzip", gzipSync(gzipSync(whole))],
      ["cut gzip", gzipSync(whole).subarray(0, 300)],
      ["gzip of nothing", gzipSync(Buffer.alloc(0))],
    ];
    for (const [name, bytes] of chunks) {
      await writeFile(path, bytes);
      expect(await refusal(path), name).toBe("bad-tarball");
    }
    await writeFile(path, whole);
    await truncate(path, 512 + 512 + 4);
    expect(await refusal(path)).toBe("bad-tarball");
  });
});

describe("reading a tarball that others made", () => {
  test("takes GNU long names, pax, hard links and a dot directory from tar", async () => {
    const directory = workspace.path("made");
    const long = `${"deep/".repeat(30)}${"n".repeat(120)}`;
    await workspace.$`mkdir -p ${directory}/${"deep/".repeat(30)} && cd ${directory} && echo text > ${long} && ln ${long} other && ln -s ${long} soft`;
    for (const format of ["gnu", "pax", "ustar", "v7"]) {
      const path = workspace.path(`made-${format}.tgz`);
      const names = format === "ustar" || format === "v7" ? ["other"] : ["."];
      await workspace.$`tar -C ${directory} --format=${format} -czf ${path} ${names}`;
      const tree = await treeFromTarball(path, workspace.path("made spool"));
      expect((await tree.read("other")).toString(), format).toBe("text\n");
      if (format === "ustar" || format === "v7") continue;
      expect(tree.has("."), format).toBe(true);
      expect((await tree.read(long)).toString(), format).toBe("text\n");
      expect(tree.file("other").linkGroup, format).toBe(tree.file(long).linkGroup);
      expect(tree.get("soft"), format).toMatchObject({ type: "symlink", target: long });
    }
  });

  test("takes directories with a size, as old tars write them: it is the disk's, and no content follows", async () => {
    const path = await craft("sized.tar", [
      { path: "d/", type: "Directory", size: 4096 },
      { path: "old/", size: 4096 },
      { path: "d/a", body: "text" },
    ]);
    const tree = await treeFromTarball(path, workspace.path("sized spool"));
    expect(tree.paths()).toEqual(["d", "d/a", "old"]);
    expect((await tree.read("d/a")).toString()).toBe("text");
    const inPlace = await treeFromTarball(path, workspace.path("sized spool"), { inPlace: true });
    expect((await inPlace.read("d/a")).toString()).toBe("text");
  });

  test("lists them in their order without unpacking", async () => {
    const path = workspace.path("listed.tar");
    await writeTarball(sample(), path, { level: "none" });
    const entries = await listTarball(path);
    expect(entries[1]).toEqual({
      path: "etc/shadow",
      type: "file",
      size: 12,
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime,
    });
    expect(entries.at(-1)).toMatchObject({ type: "symlink", target: "/usr/local/sbin/dmidecode" });
  });
});

describe("names in any bytes", () => {
  /** Long names are split, or stand in headers of their own; links have them too. */
  const long = `${"d".repeat(90)}/${"f".repeat(60)}`;
  const names = ["caf\udce9", "caf\udce8", `${"d".repeat(90)}`, `${long}\udce9`, "plain", "ü"];

  test.each([
    ["gnu", `${"t".repeat(120)}\udce9`],
    ["pax", `${"t".repeat(120)}\udce9`],
    ["ustar", "short\udce9"],
  ])("are read as they are, where the caller asks for that: %s", async (format, target) => {
    const directory = workspace.path(`bytes ${format}`);
    const at = (name: string) => Buffer.concat([Buffer.from(`${directory}/`), encodeName(name)]);
    await mkdir(directory);
    for (const name of names) {
      if (name === "d".repeat(90)) await mkdir(at(name));
      else await writeFile(at(name), name.slice(-4));
    }
    await link(at("caf\udce9"), at("hard\udcff"));
    await symlink(encodeName(target), at("soft\udcff"));
    const path = workspace.path(`bytes.${format}.tar`);
    await workspace.$({ cwd: directory })`tar --format=${format} --sort=name -cf ${path} .`;
    const tree = await treeFromTarball(path, workspace.path("spool"), { ...everything, anyBytes: true });
    const wanted = [".", ...names, "hard\udcff", "soft\udcff"];
    expect(tree.paths()).toEqual(wanted.sort((a, b) => compareNames(a, b)));
    expect((await tree.read(`${long}\udce9`)).toString()).toBe(
      Buffer.from(`${long}\udce9`.slice(-4)).toString(),
    );
    expect(tree.get("soft\udcff")).toMatchObject({ type: "symlink", target });
    expect(tree.file("hard\udcff").linkGroup).toBe(tree.file("caf\udce9").linkGroup);
    await expect(listTarball(path)).rejects.toMatchObject({ code: "unsafe-name" });
  });
});
