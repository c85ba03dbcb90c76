/** Packages of the distribution that mean harm: nothing outside is touched, and each is refused by name. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { makeDebExtension } from "../../tasks/debian/deb-extension.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { type Canary, makeCanary, secretText } from "./canary.ts";
import { arBytes, type DebParts, debBytes } from "./deb-builder.ts";
import { paxMember, type TarMember, tarBytes } from "./tar-builder.ts";

usesPrograms("unsquashfs");

const workspace = useWorkspace();
const where = "lists/builtin-extensions.lst:3";
const postinst = { path: "./postinst", body: "#!/bin/sh\n", mode: 0o755 };
const directory = (path: string) => ({ path: `./${path}/`, type: "Directory" as const });
const file = (path: string, body = "text") => ({ path: `./${path}`, body });
const link = (path: string, linkpath: string) => ({
  path: `./${path}`,
  type: "SymbolicLink" as const,
  linkpath,
});

let count = 0;

async function prepare(): Promise<{ readonly place: string; readonly canary: Canary }> {
  count += 1;
  const place = workspace.path(`case ${count}`);
  await mkdir(`${place}/out`, { recursive: true });
  return { place, canary: await makeCanary(`${place}/host`) };
}

async function convertIn(place: string, parts: DebParts | Buffer) {
  const blob = `${place}/blob`;
  await writeFile(blob, Buffer.isBuffer(parts) ? parts : debBytes(parts));
  // A build has the package's bytes in its store, and a link with the package's name to them.
  await mkdir(`${place}/packages`, { recursive: true });
  await symlink(blob, `${place}/packages/hello.deb`);
  return await makeDebExtension(workspace.$, {
    name: "hello",
    deb: `${place}/packages/hello.deb`,
    scratch: `${place}/scratch`,
    outDir: `${place}/out`,
    architecture: "amd64",
    where,
    depends: [],
  });
}

/** Paths in the extension that was made. */
async function madeOf(place: string): Promise<readonly string[]> {
  const { stdout } = await workspace.$`unsquashfs -l -d "" ${`${place}/out/hello.tcz`}`;
  return stdout.split("\n").filter((line) => line.startsWith("/"));
}

describe("a package whose directory is a link to one of the host's", () => {
  test.each([
    ["usr", (canary: Canary) => [directory("usr"), link("usr/share", canary.directory)]],
    ["root", (canary: Canary) => [link("usr", canary.directory)]],
    ["link", (canary: Canary) => [directory("usr"), link("usr/share", `${canary.directory}/doc/..`)]],
  ])("has nothing deleted there, and the link stays a link: %s", async (_name, data) => {
    const { place, canary } = await prepare();
    const before = await canary.look();
    await convertIn(place, { data: [...data(canary), file("etc/hello.conf")] });
    expect(await canary.look()).toEqual(before);
    expect(await madeOf(place)).toContain("/etc/hello.conf");
  });

  test("is refused where the link climbs out of the package", async () => {
    const { place, canary } = await prepare();
    const before = await canary.look();
    const data = [directory("usr"), link("usr/share", "../../../host")];
    await expect(convertIn(place, { data })).rejects.toMatchObject({
      message: expect.stringContaining("usr/share leads out of the tree"),
      where: expect.stringContaining(`${where}: hello.deb`),
    });
    expect(await canary.look()).toEqual(before);
  });

  test("has no script written there", async () => {
    const { place, canary } = await prepare();
    const before = await canary.look();
    const data = [directory("usr"), link("usr/local", canary.directory)];
    const refused = convertIn(place, { control: [postinst], data });
    await expect(refused).rejects.toMatchObject({
      code: "unsafe-link",
      message: expect.stringContaining("usr/local"),
      where: expect.stringContaining(`${where}: hello.deb`),
    });
    expect(await canary.look()).toEqual(before);
    expect(await readdir(`${place}/out`)).toEqual([]);
  });

  test("has no file put through it by a later member", async () => {
    const { place, canary } = await prepare();
    const before = await canary.look();
    const data = [link("usr", canary.directory), file("usr/doc/own", "evil")];
    await expect(convertIn(place, { data })).rejects.toMatchObject({ code: "unsafe-link" });
    expect(await canary.look()).toEqual(before);
  });
});

describe("a package's control archive", () => {
  const controlOnly = (member: TarMember) =>
    arBytes([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync(tarBytes([member]))],
      ["data.tar.gz", gzipSync(tarBytes([]))],
    ]);

  test.each([
    ["postinst", (canary: Canary) => debBytes({ control: [link("postinst", canary.secret)] })],
    ["control", (canary: Canary) => controlOnly(link("control", canary.secret))],
  ])("whose %s is a link to a file of the host is refused by name", async (name, bytes) => {
    const { place, canary } = await prepare();
    await expect(convertIn(place, bytes(canary))).rejects.toMatchObject({
      message: expect.stringContaining(name),
      where: expect.stringContaining(`${where}: hello.deb`),
    });
    for (const made of await readdir(`${place}/out`)) {
      expect(await readFile(`${place}/out/${made}`, "latin1")).not.toContain(secretText);
    }
  });

  test.each([
    ["postinst", debBytes({ control: [{ path: "./postinst", type: "FIFO" }] })],
    ["control", controlOnly({ path: "./control", type: "FIFO" })],
    [
      "postinst",
      debBytes({ control: [{ path: "./postinst", type: "CharacterDevice", devmaj: 1, devmin: 5 }] }),
    ],
  ])("whose %s is a pipe or device is refused by name, and not opened", async (name, bytes) => {
    const { place } = await prepare();
    await expect(convertIn(place, bytes)).rejects.toMatchObject({
      code: "unsafe-entry",
      message: expect.stringContaining(name),
    });
  });

  test("without a control file is refused", async () => {
    const { place } = await prepare();
    const bytes = controlOnly({ path: "./md5sums", body: "" });
    await expect(convertIn(place, bytes)).rejects.toMatchObject({ where: `${where}: hello.deb` });
  });

  test("has its script taken over byte for byte, whatever the bytes are", async () => {
    const { place } = await prepare();
    const body = Buffer.from("#!/bin/sh\n# caf\xe9 \xff\xfe\n\0", "latin1");
    await convertIn(place, { control: [{ ...postinst, body }], data: [file("etc/a")] });
    const script = "usr/local/postinst/hello";
    await workspace.$`unsquashfs -d ${`${place}/read`} ${`${place}/out/hello.tcz`} ${script}`;
    expect((await readFile(`${place}/read/${script}`)).equals(body)).toBe(true);
  });
});

describe("a package's files", () => {
  test.each<[string, string, readonly TarMember[]]>([
    ["a pipe", "dev/pipe", [directory("dev"), { path: "./dev/pipe", type: "FIFO" }]],
    ["a device", "dev/n", [{ path: "./dev/n", type: "CharacterDevice", devmaj: 1, devmin: 3 }]],
    ["a name that climbs", "../host/evil", [file("../host/evil")]],
    ["a hard link to the host", "/etc/passwd", [{ path: "./etc/a", type: "Link", linkpath: "/etc/passwd" }]],
    ["the same name twice", "etc/a", [file("etc/a"), file("etc/a", "again")]],
    ["a file below a file", "etc/a/b", [file("etc/a"), file("etc/a/b")]],
    ["a line break in a name", "a\\x0ab", [file("a\nb")]],
    ["a name that is too long", "usr/xxx", [paxMember({ path: `./usr/${"x".repeat(300)}` }), file("usr/x")]],
    ["a sparse file", "etc/a", [paxMember({ "GNU.sparse.major": "1" }), file("etc/a")]],
  ])("with %s are refused by name, package and line", async (_what, name, data) => {
    const { place, canary } = await prepare();
    const before = await canary.look();
    const refused = await convertIn(place, { data }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    const { message, where: at } = refused as UserError;
    expect(`${message} ${at}`).toContain(name);
    expect(at).toContain(`${where}: hello.deb`);
    expect(`${message} ${at}`).not.toContain(workspace.path(""));
    expect(await canary.look()).toEqual(before);
    expect(await readdir(`${place}/out`)).toEqual([]);
  });

  test("that are compressed twice are refused, as their sizes were checked once only", async () => {
    const { place } = await prepare();
    const twice = arBytes([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync(tarBytes([{ path: "./control", body: "Package: hello\n" }]))],
      ["data.tar.gz", gzipSync(gzipSync(tarBytes([file("etc/a")])))],
    ]);
    await expect(convertIn(place, twice)).rejects.toMatchObject({
      code: "bad-tarball",
      where: `${where}: hello.deb: data.tar`,
    });
  });

  test("that are damaged are refused by package and line, without the directory that they lie in", async () => {
    const { place } = await prepare();
    for (const bytes of [Buffer.from("<html>"), debBytes({ data: [file("a")] }).subarray(0, 300)]) {
      await rm(`${place}/packages`, { recursive: true, force: true });
      const refused = await convertIn(place, bytes).catch((error: unknown) => error);
      const { message, where: at } = refused as UserError;
      expect(at).toContain(`${where}: hello.deb`);
      expect(`${message} ${at}`).not.toContain(place);
    }
  });

  test("may unpack to no more than the limits, which the error names", async () => {
    const { place } = await prepare();
    const data = [{ path: "./zeros", body: Buffer.alloc(32 * 1024 * 1024) }];
    await expect(convertIn(place, { data })).rejects.toMatchObject({
      code: "bomb",
      message: "the archive unpacks to more than 64 times its compressed size",
      where: `${where}: hello.deb`,
    });
    const control = [{ path: "./md5sums", body: Buffer.alloc(80 * 1024 * 1024) }];
    await rm(`${place}/packages`, { recursive: true });
    await expect(convertIn(place, { control })).rejects.toMatchObject({ code: "bomb" });
    expect(await readdir(`${place}/out`)).toEqual([]);
  });
});
