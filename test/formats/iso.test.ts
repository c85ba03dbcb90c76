import { chmod, copyFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { extractIso, type IsoOptions, readIsoLabel, readIsoTree, writeIso } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { listIso, unpackIso } from "../support/xorriso.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("xorriso");

const workspace = useWorkspace();
const ids = { volumeId: "Razor MK 1.2.3", applicationId: "Razor Microkernel", systemId: "LINUX" } as const;
const boot = { isolinux: "boot/isolinux/isolinux.bin", catalog: "boot/isolinux/boot.cat" } as const;

/** Any file of more than 64 bytes can carry a boot information table. */
const loader = Buffer.alloc(4096, "isolinux");

async function makeRoot(name: string, files: readonly string[], mode: number): Promise<string> {
  const root = workspace.path(name);
  await mkdir(`${root}/boot/isolinux`, { recursive: true });
  for (const file of files) {
    await writeFile(`${root}/${file}`, file.endsWith(".bin") ? loader : `content of ${file}\n`);
    await chmod(`${root}/${file}`, mode);
  }
  return root;
}

const files = [
  "COPYING",
  "boot/core.gz",
  "boot/a-kernel-with-a-long-name.img",
  "boot/isolinux/isolinux.bin",
  "boot/isolinux/isolinux.cfg",
];

function options(root: string, out: string, more: Partial<IsoOptions> = {}): IsoOptions {
  return { root, out: workspace.path(out), epoch: 1_700_000_000, boot, ...ids, ...more };
}

describe("writing an ISO", () => {
  test("gives the same bytes whatever the order and the modes the files were made with", async () => {
    const one = await makeRoot("one", files, 0o600);
    await chmod(`${one}/boot`, 0o700);
    const two = await makeRoot("two", [...files].reverse(), 0o644);
    await writeIso(workspace.$, options(one, "one.iso"));
    await writeIso(workspace.$, options(two, "two.iso"));
    expect(
      (await readFile(workspace.path("one.iso"))).equals(await readFile(workspace.path("two.iso"))),
    ).toBe(true);
  });

  test("leaves the boot loader's file in the directory as it was", async () => {
    const root = await makeRoot("untouched", files, 0o644);
    await writeIso(workspace.$, options(root, "untouched.iso"));
    expect(await readFile(`${root}/${boot.isolinux}`)).toEqual(loader);
    await extractIso(workspace.path("untouched.iso"), [boot.isolinux], workspace.path("patched"));
    expect(await readFile(workspace.path(`patched/${boot.isolinux}`))).not.toEqual(loader);
  });

  test("sets the ids and the dates that were asked for, and boots through isolinux", async () => {
    const root = await makeRoot("ids", files, 0o644);
    const iso = workspace.path("ids.iso");
    await writeIso(workspace.$, options(root, "ids.iso", { publisher: "Somebody" }));
    const info = (await workspace.$`xorriso -indev ${iso} -pvd_info -report_el_torito plain`).stdout;
    expect(info).toMatch(/Volume Id {4}: Razor MK 1\.2\.3\n/);
    expect(info).toMatch(/App Id {7}: RAZOR MICROKERNEL\n/);
    expect(info).toMatch(/System Id {4}: LINUX\n/);
    expect(info).toMatch(/Preparer Id {2}: *\n/);
    expect(info).toMatch(/Creation Time: 2023111422132000\n/);
    expect(info).toMatch(/El Torito img path :\s+1\s+\/boot\/isolinux\/isolinux\.bin/);
    expect(await readIsoLabel(iso)).toBe("Razor MK 1.2.3");
  });

  test("ends with the sector in which its last file ends, and says so", async () => {
    const root = await makeRoot("end", [...files, "last"], 0o644);
    await writeFile(`${root}/last`, Buffer.alloc(3000, "last"));
    await writeIso(workspace.$, options(root, "end.iso", { last: ["last"] }));
    const bytes = await readFile(workspace.path("end.iso"));
    expect(bytes.subarray(-4096, -1096).equals(Buffer.alloc(3000, "last"))).toBe(true);
    expect(bytes.subarray(-1096).every((byte) => byte === 0)).toBe(true);
    // ECMA-119 8.4.8: the volume's size in sectors.
    expect(bytes.readUInt32LE(16 * 2048 + 80) * 2048).toBe(bytes.length);
  });

  test("another time gives other bytes, and only the times differ", async () => {
    const root = await makeRoot("later", files, 0o644);
    await writeIso(workspace.$, options(root, "now.iso"));
    await writeIso(workspace.$, options(root, "later.iso", { epoch: 1_700_000_060 }));
    expect(await readFile(workspace.path("now.iso"))).not.toEqual(
      await readFile(workspace.path("later.iso")),
    );
    expect(await listIso(workspace.$, workspace.path("now.iso"))).toEqual(
      await listIso(workspace.$, workspace.path("later.iso")),
    );
  });

  test("takes 0 for a time, and not for leave to write the clock's", async () => {
    const root = await makeRoot("zero", files, 0o644);
    await writeIso(workspace.$, options(root, "zero.iso", { epoch: 0 }));
    const iso = workspace.path("zero.iso");
    const { stdout } = await workspace.$({
      env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    })`xorriso -no_rc -indev ${iso} -find / -exec lsdl -- -pvd_info`;
    const times = [...stdout.matchAll(/^[-de][-rwx].*? (\w{3} [ \d]\d .{5}) '/gm)].map(([, time]) => time);
    expect(times.length).toBeGreaterThan(files.length);
    expect(new Set(times)).toEqual(new Set(["Jan  1  1970"]));
    expect(stdout).toMatch(/Creation Time: 1970010100000000\n/);
    // ECMA-119 9.1.5: year from 1900, month, day. No record of either tree has today's.
    const now = new Date();
    const today = Buffer.from([now.getUTCFullYear() - 1900, now.getUTCMonth() + 1, now.getUTCDate()]);
    expect((await readFile(iso)).indexOf(today)).toBe(-1);
  });

  test("starts from a stick and under UEFI where it is given what that takes, with the same bytes each time", async () => {
    const root = await makeRoot("hybrid", [...files, "boot/efi.img"], 0o644);
    await writeFile(`${root}/boot/efi.img`, Buffer.alloc(8192, "FAT"));
    const mbr = workspace.path("mbr.bin");
    await writeFile(mbr, Buffer.alloc(432, "code"));
    const hybrid = { ...boot, mbr, efi: "boot/efi.img" };
    for (const name of ["hybrid.iso", "hybrid again.iso"]) {
      await writeIso(workspace.$, options(root, name, { boot: hybrid }));
    }
    const iso = workspace.path("hybrid.iso");
    const bytes = await readFile(iso);
    expect(bytes.equals(await readFile(workspace.path("hybrid again.iso")))).toBe(true);
    expect(bytes.subarray(0, 4).toString()).toBe("code");
    // The MBR's second entry is at 462: type, then where it begins, in sectors.
    expect(bytes[462 + 4]).toBe(0xef);
    const start = bytes.readUInt32LE(462 + 8) * 512;
    expect(bytes.subarray(start, start + 8192).equals(Buffer.alloc(8192, "FAT"))).toBe(true);
    const report = (
      await workspace.$`xorriso -indev ${iso} -report_el_torito plain -report_system_area plain`
    ).stdout;
    expect(report).toMatch(/boot img :\s+1\s+BIOS/);
    expect(report).toMatch(/boot img :\s+2\s+UEFI/);
    expect(report).toMatch(/GPT partition path :\s+2\s+\/boot\/efi\.img/);
    // The first entry spans all of the disk, to the sector; the second GPT has its header in the last one.
    expect(bytes.readUInt32LE(446 + 12) * 512).toBe(bytes.length);
    expect(bytes.toString("latin1", bytes.length - 512, bytes.length - 504)).toBe("EFI PART");
  });

  test("refuses a volume id of more than 32 characters, and one that is not ASCII", async () => {
    const root = await makeRoot("ids", files, 0o644);
    for (const volumeId of ["x".repeat(33), "Rázor"]) {
      await expect(writeIso(workspace.$, options(root, "no.iso", { volumeId }))).rejects.toMatchObject({
        code: "iso-field",
      });
    }
  });

  test("names the ISO when xorriso cannot write it", async () => {
    const missing = writeIso(workspace.$, options(workspace.path("no such directory"), "none.iso"));
    await expect(missing).rejects.toMatchObject({ code: "tool-failed", where: workspace.path("none.iso") });
  });
});

describe("reading an ISO", () => {
  test("lists every path with its type, size, mode and owner", async () => {
    const root = await makeRoot("list", [...files, 'it\'s "odd" -> name'], 0o600);
    await writeIso(workspace.$, options(root, "list.iso"));
    const entries = await listIso(workspace.$, workspace.path("list.iso"));
    expect(entries.map(({ path }) => path)).toEqual([
      "COPYING",
      "boot",
      "boot/a-kernel-with-a-long-name.img",
      "boot/core.gz",
      "boot/isolinux",
      "boot/isolinux/boot.cat",
      "boot/isolinux/isolinux.bin",
      "boot/isolinux/isolinux.cfg",
      'it\'s "odd" -> name',
    ]);
    expect(entries[0]).toEqual({ path: "COPYING", type: "file", mode: 0o644, uid: 0, gid: 0, size: 19 });
    expect(entries[1]).toMatchObject({ type: "directory", mode: 0o755 });
    expect((await readIsoTree(workspace.path("list.iso"))).paths()).toEqual(entries.map(({ path }) => path));
  });

  test("copies out single files, directories, or everything, all of them writable", async () => {
    const root = await makeRoot("out", files, 0o444);
    const iso = workspace.path("out.iso");
    await writeIso(workspace.$, options(root, "out.iso"));
    await extractIso(iso, ["boot/isolinux", "COPYING"], workspace.path("some"));
    await extractIso(iso, "all", workspace.path("all"));
    expect(await readFile(workspace.path("some/COPYING"), "utf8")).toBe("content of COPYING\n");
    expect(await readFile(workspace.path("all/boot/core.gz"), "utf8")).toBe("content of boot/core.gz\n");
    await unpackIso(workspace.$, iso, workspace.path("same"));
    await workspace.$`diff -r ${workspace.path("all")} ${workspace.path("same")}`;
    const { mode } = await stat(workspace.path("some/boot/isolinux/isolinux.cfg"));
    expect(mode & 0o600).toBe(0o600);
    await rm(workspace.path("all"), { recursive: true });
  });

  test("says what is missing, and what is no ISO", async () => {
    const root = await makeRoot("bad", files, 0o644);
    const iso = workspace.path("bad.iso");
    await writeIso(workspace.$, options(root, "bad.iso"));
    await expect(extractIso(iso, ["boot/none"], workspace.path("x"))).rejects.toMatchObject({
      code: "member-missing",
      message: "the ISO has no boot/none",
    });
    const page = workspace.path("page.iso");
    await copyFile(`${root}/COPYING`, page);
    await expect(extractIso(page, "all", workspace.path("x"))).rejects.toMatchObject({ where: page });
    await expect(readIsoLabel(page)).rejects.toMatchObject({ code: "not-an-iso" });
  });
});
