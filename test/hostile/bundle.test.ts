/** Bundles that mean harm, and old ones that only look odd: their Core ISO and tarballs are checked like any other. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { readInitrd } from "../../src/formats/index.ts";
import { readBundleFacts } from "../../tasks/settings/bundle-facts.ts";
import { takeBundleApart } from "../../tasks/unpack-bundle.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { type BundleParts, bundleBytes } from "./bundle-builder.ts";
import { makeCanary } from "./canary.ts";
import { packCoreIso } from "./iso-builder.ts";
import { paxMember, type TarMember, tarBytes } from "./tar-builder.ts";

const workspace = useWorkspace();
let iso = Buffer.alloc(0);
let count = 0;

beforeAll(async () => {
  await packCoreIso(workspace.$, workspace.path("Core.iso"), async (root) => {
    await rm(`${root}/boot/extra`, { force: true });
  });
  iso = await readFile(workspace.path("Core.iso"));
});

async function unpack(parts: Partial<BundleParts> | Buffer, limits: { readonly maxBytes?: number } = {}) {
  count += 1;
  const place = workspace.path(`case ${count}`);
  await mkdir(`${place}/boot`, { recursive: true });
  await mkdir(`${place}/scratch`);
  const canary = await makeCanary(`${place}/host`);
  const before = await canary.look();
  const file = `${place}/bundle.tar.gz`;
  await writeFile(file, Buffer.isBuffer(parts) ? parts : bundleBytes({ iso, ...parts }));
  const names = [
    "iso",
    "boot",
    "core",
    "listing",
    "layer",
    "linked",
    "password",
    "conflict",
    "loaders",
    "texts",
  ] as const;
  const places = Object.fromEntries(names.map((name) => [name, `${place}/${name}`]));
  const request = {
    scratch: `${place}/scratch`,
    limits,
    signal: new AbortController().signal,
    note: () => undefined,
  };
  const error: unknown = await takeBundleApart(
    file,
    places as Record<(typeof names)[number], string>,
    request,
  ).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(await canary.look()).toEqual(before);
  return { place, file, error };
}

/** The layer that was made, as one tree. */
async function layerOf(place: string) {
  const members = await readInitrd(`${place}/layer`, { spoolDir: `${place}/read` });
  const tree = members.at(-1)?.tree;
  if (tree === undefined) throw new Error("no layer");
  return tree;
}

const overlay = (members: readonly TarMember[]): Partial<BundleParts> => ({
  tarballs: { "razor-microkernel-overlay": members },
});
const file = (path: string, body = "text") => ({ path, body });
const link = (path: string, linkpath: string) => ({ path, type: "SymbolicLink" as const, linkpath });

describe("an old bundle", () => {
  test("may have absolute links into the image, which stay as they are", async () => {
    const target = "/tmp/tcloop/openssh/usr/local/etc/ssh/moduli";
    const { place, error } = await unpack({
      tarballs: { "ssh-setup-files": [link("usr/local/etc/ssh/moduli", target)] },
    });
    expect(error).toBeUndefined();
    expect((await layerOf(place)).get("usr/local/etc/ssh/moduli")).toMatchObject({ target });
  });

  test("need not have the directories that its files lie in: Core's stay as they are, others are made", async () => {
    const { place, error } = await unpack({
      tarballs: {
        "mcollective-setup-files": [file("usr/local/etc/mcollective/server.cfg")],
        "ssh-setup-files": [file("lib/modules/notes"), file("usr/local/etc/ssh/sshd_config")],
      },
    });
    expect(error).toBeUndefined();
    const tree = await layerOf(place);
    expect(tree.get("usr/local/etc/mcollective")).toMatchObject({ type: "directory", mode: 0o755 });
    expect(tree.get("lib/modules")).toMatchObject({ type: "directory" });
    expect((await tree.read("usr/local/etc/ssh/sshd_config")).toString()).toBe("text");
    expect(await readFile(`${place}/conflict`, "utf8")).toBe("");
  });

  test("may put files below a link of another of its tarballs, where the link leads", async () => {
    const { place, error } = await unpack({
      tarballs: {
        "a-first": [{ path: "usr/real", type: "Directory" }, link("usr/alias", "real")],
        "b-second": [file("usr/alias/file")],
      },
    });
    expect(error).toBeUndefined();
    const tree = await layerOf(place);
    expect(tree.get("usr/alias")).toMatchObject({ target: "real" });
    expect(tree.get("usr/real/file")).toMatchObject({ type: "file" });
  });
});

describe("a bundle that means harm", () => {
  test.each<[string, string, Partial<BundleParts>]>([
    [
      "a sparse file",
      "opt/a",
      overlay([paxMember({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0" }), file("opt/a")]),
    ],
    ["star's sparse file", "opt/a", overlay([paxMember({ "SCHILY.realsize": "99" }), file("opt/a")])],
    [
      "a name for all members",
      "opt/a",
      overlay([{ ...paxMember({ path: "etc/passwd" }), type: "GlobalExtendedHeader" }, file("opt/a")]),
    ],
    ["a pipe", "opt/pipe", overlay([{ path: "opt/pipe", type: "FIFO" }])],
    ["a device", "opt/mem", overlay([{ path: "opt/mem", type: "BlockDevice", devmaj: 8, devmin: 0 }])],
    ["a set-id file", "opt/su", overlay([{ path: "opt/su", mode: 0o4755 }])],
    ["a link that climbs", "opt/out", overlay([link("opt/out", "../../../../host")])],
    ["a file below a link", "opt/out/doc/own", overlay([link("opt/out", "/host"), file("opt/out/doc/own")])],
    ["a name that climbs", "../host/doc/own", overlay([file("../host/doc/own")])],
    ["an absolute name", "/host/doc/own", overlay([file("/host/doc/own")])],
    ["a loader that is a link", "loaders/efi.img", { top: [link("loaders/efi.img", "/host/secret")] }],
    ["a text that is a link", "COPYING", { top: [link("COPYING", "../host/secret")] }],
    [
      "a tarball that is a link",
      "dependencies/x.tar.gz",
      { top: [link("dependencies/x.tar.gz", "/host/secret")] },
    ],
    ["a loader that is a pipe", "loaders/mbr.bin", { top: [{ path: "loaders/mbr.bin", type: "FIFO" }] }],
  ])("with %s is refused, and both bundle and member are named", async (_what, name, parts) => {
    const { place, file: bundle, error } = await unpack(parts);
    expect(error).toMatchObject({ name: "UserError" });
    const { message, where } = error as { readonly message: string; readonly where: string };
    expect(`${message} ${where}`).toContain(name);
    expect(where).toContain(bundle);
    expect(where).not.toContain("scratch");
    expect(await readdir(place)).not.toContain("layer");
  });

  test.each([
    ["boot/vmlinuz", "link"],
    ["boot/isolinux/isolinux.cfg", "link"],
    ["boot/core.gz", "pipe"],
  ])("whose Core ISO has a %s that is a %s is refused by name", async (name, kind) => {
    const hostile = workspace.path(`${name.replaceAll("/", "-")} ${kind}.iso`);
    await packCoreIso(workspace.$, hostile, async (root) => {
      await rm(`${root}/${name}`);
      if (kind === "link") await symlink("/etc/hostname", `${root}/${name}`);
      else await workspace.$`mkfifo ${`${root}/${name}`}`;
    });
    const { error } = await unpack({ iso: await readFile(hostile) });
    expect(error).toMatchObject({ where: expect.stringContaining(name) });
  });

  test("may unpack to no more than the limits, all of its tarballs together", async () => {
    const body = Buffer.alloc(700 * 1024, "some text that is no bomb");
    const members = [{ path: "opt/large", body }];
    const { error } = await unpack(
      { tarballs: { a: [{ path: "opt/a", body }], b: members } },
      { maxBytes: 1_200_000 },
    );
    expect(error).toMatchObject({ code: "bomb", where: expect.stringContaining("dependencies/b.tar.gz") });
    const zeros = [{ path: "opt/zeros", body: Buffer.alloc(64 * 1024 * 1024) }];
    const { error: ratio } = await unpack(overlay(zeros));
    expect(ratio).toMatchObject({
      code: "bomb",
      where: expect.stringContaining("razor-microkernel-overlay"),
    });
  });

  test("that is a pipe is refused by name, and nobody waits for it", async () => {
    const pipe = workspace.path("pipe.tar.gz");
    await workspace.$`mkfifo ${pipe}`;
    const places = {
      iso: pipe,
      boot: pipe,
      core: pipe,
      listing: pipe,
      layer: pipe,
      linked: pipe,
      password: pipe,
      conflict: pipe,
      loaders: pipe,
      texts: pipe,
    };
    const signal = new AbortController().signal;
    const request = { scratch: workspace.path("pipe scratch"), limits: {}, signal, note: () => undefined };
    const expected = { code: "not-a-regular-file", where: pipe };
    await expect(takeBundleApart(pipe, places, request)).rejects.toMatchObject(expected);
    await expect(readBundleFacts(pipe)).rejects.toMatchObject(expected);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a page", Buffer.from("<html>")],
    ["another tarball", gzipSync(tarBytes([file("a")]))],
    ["half of one", Buffer.alloc(1)],
  ])("that is %s is refused by name", async (what, bytes) => {
    const whole = bundleBytes({ iso });
    const { file: bundle, error } = await unpack(
      what === "half of one" ? whole.subarray(0, whole.length / 2) : bytes,
    );
    expect(error).toMatchObject({ name: "UserError", where: expect.stringContaining(bundle) });
  });
});
