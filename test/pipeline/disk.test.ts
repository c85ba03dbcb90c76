/** Images of disks: read by other programs, the same wherever they are built, and booted from every kind of controller. */
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diskIds } from "../../tasks/settings/disk-ids.ts";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import {
  copyWorkspace,
  giveToPlainUser,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  type Workspace,
} from "./workspace.ts";

usesPrograms("sfdisk", "mke2fs", "debugfs", "e2fsck", "mkfs.vfat", "fsck.vfat", "mcopy", "mdir", "qemu-img");
usesPrograms("GRUB for BIOS", "tar", "xorriso", "cmp", "truncate");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;
const size = "640MiB";
const ids = diskIds("dev ", "gpt", "ext4");

interface Partition {
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly uuid?: string;
  readonly bootable?: boolean;
}

describe("the image of a disk", () => {
  let workspace: Workspace;
  let directory = "";
  const image = (): string => workspace.path("build-files/remaster-dev.img");
  const build = async (...args: readonly string[]) =>
    await workspace.task(["remaster-disk", "--source", "sample", "--disk-size", size, ...args]);

  const partitionsOf = async (file: string): Promise<readonly Partition[]> => {
    const { stdout } = await workspace.$`sfdisk --json ${file}`;
    return (JSON.parse(stdout) as { partitiontable: { partitions: readonly Partition[] } }).partitiontable
      .partitions;
  };
  /** A partition as a file of its own, holes kept. */
  const takeOut = async (
    file: string,
    { start, size: sectors }: Partition,
    name: string,
  ): Promise<string> => {
    const to = path.join(directory, name);
    await rm(to, { force: true });
    const [skip, count] = [start / 2048, sectors / 2048];
    await workspace.$`dd if=${file} of=${to} bs=1M skip=${skip} count=${count} conv=sparse status=none`;
    await workspace.$`truncate -s ${sectors * 512} ${to}`;
    return to;
  };

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("disk");
    await writeFile(workspace.path("lists/cde-onboot.lst"), "dmidecode.tcz\nbash.tcz\n");
    await writeFile(workspace.path("lists/cde-ondemand.lst"), "lshw.tcz\n");
    await mkdir(workspace.path("image-overlay/docs"), { recursive: true });
    await writeFile(workspace.path("image-overlay/docs/with a blank.txt"), "on the disk\n");
  }, patience);

  afterAll(async () => {
    for (const name of ["lists/cde-onboot.lst", "lists/cde-ondemand.lst", "image-overlay"])
      await rm(workspace.path(name), { recursive: true, force: true });
    await removeDirectory(directory);
  });

  it(
    "has what was meant, as sfdisk, debugfs, mdir and both file systems' checks read it",
    async () => {
      const { status, stderr } = await build("--boot-codes", "home=UUID=DATA nodhcp");
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stderr).toContain(
        "qemu-system-x86_64 -m 1024 -drive file=build-files/remaster-dev.img,format=raw",
      );
      const [grub, esp, data, ...more] = await partitionsOf(image());
      if (grub === undefined || esp === undefined || data === undefined)
        throw new Error("partitions are missing");
      expect(more).toEqual([]);
      expect(grub).toMatchObject({ start: 2048, uuid: ids.grub.toUpperCase() });
      expect(esp.type).toBe("C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
      expect(data.start + data.size).toBe((640 - 1) * 2048);
      const espFile = await takeOut(image(), esp, "esp.img");
      await workspace.$`fsck.vfat -n ${espFile}`;
      expect((await workspace.$`mdir -b -/ -i ${espFile} ::`).stdout).toContain("::/EFI/BOOT/BOOTX64.EFI");
      const dataFile = await takeOut(image(), data, "data.img");
      await workspace.$`e2fsck -fn ${dataFile}`;
      const ask = async (request: string): Promise<string> =>
        (await workspace.$`debugfs -R ${request} ${dataFile}`).stdout;
      expect(await ask("cat /tce/onboot.lst")).toMatch(/^dmidecode\.tcz$/m);
      expect(await ask("ls -p /tce/optional")).toMatch(/\/100644\/0\/0\/lshw\.tcz\//);
      expect(await ask('cat "/docs/with a blank.txt"')).toBe("on the disk\n");
      const menu = await ask("cat /boot/grub/grub.cfg");
      expect(menu).toContain(
        ` tce=UUID=${ids.data} waitusb=10:UUID=${ids.data} home=UUID=${ids.data} nodhcp\n`,
      );
      expect(menu).not.toMatch(/ cde\b/);
      expect(await ask("stats -h")).toContain(ids.data);
      const times = await ask("stat /tce/optional/lshw.tcz");
      expect(new Set([...times.matchAll(/[acm]time: (\S+)/g)].map(([, time]) => time)).size).toBe(1);
      expect(times).toMatch(/crtime: /);
    },
    patience,
  );

  it(
    "is written again in a second when its content changed, and is fresh otherwise",
    async () => {
      const before = await stat(image());
      expect(before.blocks * 512).toBeLessThan(200e6);
      const again = await build("--boot-codes", "home=UUID=DATA nodhcp");
      expect(again.stdout + again.stderr).not.toMatch(/rebuilt/);
      expect((await stat(image())).ino).toBe(before.ino);
      const { stderr, stdout } = await build("--boot-codes", "home=UUID=DATA nodhcp text");
      expect(stdout + stderr).toMatch(/remaster-disk-data: rebuilt/);
      expect(stdout + stderr).not.toMatch(/disk-loaders: rebuilt/);
      expect((await stat(image())).ino).not.toBe(before.ino);
    },
    patience,
  );

  it(
    "has the same bytes when another user builds it in another directory",
    async () => {
      const elsewhere = path.join(directory, "of another user");
      const other = await copyWorkspace(workspace, elsewhere);
      await rm(other.path("build-files"), { recursive: true });
      const forced = ["disk-loaders", "remaster-disk-data", "remaster-disk"].flatMap((name) => [
        "--force",
        name,
      ]);
      await giveToPlainUser(workspace.$, directory);
      for (const kind of [
        ["--disk-fs", "ext4"],
        ["--disk-fs", "fat32", "--disk-layout", "mbr"],
      ]) {
        const args = ["remaster-disk", "--source", "sample", "--disk-size", size, ...kind];
        expect(await workspace.task(args)).toMatchObject({ status: 0 });
        const built = await other.task([...args, ...forced], { plainUser: true, umask: "077" });
        expect({ ...built }).toMatchObject({ status: 0, stderr: built.stderr });
        await workspace.$`cmp ${image()} ${other.path("build-files/remaster-dev.img")}`;
      }
    },
    2 * patience,
  );

  it.each(["qcow2", "vmdk", "vhdx"])(
    "is the same twice as %s, sound, and the same disk as the raw image",
    async (format) => {
      const file = workspace.path(`build-files/remaster-dev.${format}`);
      expect(await build("--disk-format", format)).toMatchObject({ status: 0 });
      const kept = path.join(directory, `kept.${format}`);
      await workspace.$`cp ${file} ${kept}`;
      expect(await build("--disk-format", format, "--force", "remaster-disk")).toMatchObject({ status: 0 });
      await workspace.$`cmp ${file} ${kept}`;
      if (format !== "vmdk") await workspace.$`qemu-img check ${file}`;
      expect(await build()).toMatchObject({ status: 0 });
      await workspace.$`qemu-img compare ${image()} ${file}`;
    },
    patience,
  );

  it(
    "boots from virtio under BIOS and from NVMe under UEFI, and keeps what was written to home",
    async () => {
      expect(await build("--boot-codes", "home=UUID=DATA nodhcp")).toMatchObject({ status: 0 });
      const disk = path.join(directory, "used.img");
      await workspace.$`cp --sparse=always ${image()} ${disk}`;
      const looks = async (
        medium: Parameters<typeof bootQemu>[0],
        firmware: "bios" | "uefi",
        command: string,
      ) => {
        const machine = bootQemu(medium, { firmware });
        try {
          await machine.expect("Ready", patience);
          await machine.login("tc", "tcuser", patience);
          const { output } = await machine.run(command, patience);
          return output.split("\n");
        } finally {
          await machine.close();
        }
      };
      const loaded = "cat /sys/block/loop*/loop/backing_file | grep -e /bash.tcz -e dmidecode.tcz | sort";
      const first = await looks(
        { disk, writes: "kept" },
        "bios",
        `echo kept >/home/tc/file && sync && ${loaded}`,
      );
      expect(first).toEqual(["/mnt/vda3/tce/optional/bash.tcz", "/mnt/vda3/tce/optional/dmidecode.tcz"]);
      const second = await looks(
        { disk, writes: "kept", bus: "nvme" },
        "uefi",
        `cat /home/tc/file; ls /tce 2>&1 | head -1; ${loaded}`,
      );
      expect(second).toEqual([
        "kept",
        expect.anything(),
        "/mnt/nvme0n1p3/tce/optional/bash.tcz",
        "/mnt/nvme0n1p3/tce/optional/dmidecode.tcz",
      ]);
      const [, , data] = await partitionsOf(disk);
      if (data === undefined) throw new Error("no data partition");
      // The machine was switched off: the journal may have to be replayed, and nothing else.
      const used = await takeOut(disk, data, "used-data.img");
      await workspace.$({ nothrow: true })`e2fsck -fp ${used}`;
      await workspace.$`e2fsck -fn ${used}`;
    },
    4 * patience,
  );

  it(
    "boots from AHCI with an MBR and FAT, under BIOS and under UEFI",
    async () => {
      expect(await build("--disk-layout", "mbr", "--disk-fs", "fat32")).toMatchObject({ status: 0 });
      const [esp, data] = await partitionsOf(image());
      if (esp === undefined || data === undefined) throw new Error("partitions are missing");
      expect([esp.type, data.type, data.bootable]).toEqual(["ef", "c", true]);
      const dataFile = await takeOut(image(), data, "fat.img");
      await workspace.$`fsck.vfat -n ${dataFile}`;
      expect((await workspace.$`mdir -b -/ -i ${dataFile} ::`).stdout).toContain("::/tce/optional/lshw.tcz");
      for (const firmware of ["bios", "uefi"] as const) {
        const machine = bootQemu({ disk: image(), writes: "dropped", bus: "ahci" }, { firmware });
        try {
          await machine.expect(/Loading extensions from \/mnt\/sda2\/tce/, patience);
          await machine.expect("Ready", patience);
        } finally {
          await machine.close();
        }
      }
    },
    3 * patience,
  );

  it(
    "is refused when it is too small, with the size that is enough, and the last image stays",
    async () => {
      expect(await build("--disk-size", size)).toMatchObject({ status: 0 });
      const before = await readFile(workspace.path(".buildcache/v1/out/dev/remaster-disk-data/data.json"));
      for (const fs of ["ext4", "ext2", "fat32"]) {
        const small = await build("--disk-size", "80MiB", "--disk-fs", fs);
        expect(small.status).toBe(1);
        const [, least = ""] = /its content needs (\d+) MiB/.exec(small.stderr) ?? [];
        expect(small.stderr).toContain("[disk-size]");
        expect(await build("--disk-size", `${least}MiB`, "--disk-fs", fs)).toMatchObject({ status: 0 });
      }
      expect(before.length).toBeGreaterThan(0);
    },
    patience,
  );

  it.each([
    ["a size without a known unit", ["--disk-size", "20X"], 2, "disk-size"],
    ["a size that is no number", ["--disk-size", "large"], 2, "disk-size"],
    ["home on FAT", ["--disk-fs", "fat32", "--boot-codes", "home=UUID=DATA"], 2, "disk-fat"],
    ["opt on FAT by its place", ["--disk-fs", "fat32", "--boot-codes", "opt=sda1"], 2, "disk-fat"],
    ["an unknown layout", ["--disk-layout", "bsd"], 2, "parameter-choice"],
    ["no room at all", ["--disk-size", "2MiB"], 1, "disk-size"],
  ])("is refused for %s, and the last image stays", async (_, args, wanted, code) => {
    const before = (await stat(image())).ino;
    const { status, stderr } = await build(...args);
    expect(stderr).toContain(`[${code}]`);
    expect(status).toBe(wanted);
    expect((await stat(image())).ino).toBe(before);
  });
});
