/**
 * The data partition of a disk: kernel, initrd and menu in `boot/`, and in `tce/` what an ISO has in `cde/`. Kept without its holes: it is
 * as large as the disk.
 */
import {
  chmod,
  constants,
  cp,
  lutimes,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import type { AnyTaskContext } from "../src/engine/index.ts";
import { out, type ToolUse } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  type BootMenu,
  extSizeFor,
  fatSizeFor,
  printName,
  takeOutExtents,
  writeExt,
  writeFatVolume,
} from "../src/formats/index.ts";
import { readBootMenu } from "./image/boot-menu.ts";
import { type DiskPlan, sectorSize } from "./image/disk-layout.ts";
import { diskMenu } from "./image/disk-menu.ts";
import { bootPath } from "./image/image-identity.ts";
import { archiveSparse } from "./image/sparse-archive.ts";
import type { InitrdChunks } from "./iso-joining.ts";
import { diskCodes, diskFs, diskKind, diskLayout, diskNames, diskSeed } from "./settings/disk-options.ts";
import { bootMenu, epoch } from "./settings/image-options.ts";
import { bootCodes } from "./settings/remaster-options.ts";

/** What a step that makes a data partition declares. The boot codes are read by the default of the disk's. */
export const partitionParams = {
  ...{ epoch, bootMenu, diskLayout, diskFs, diskSeed, bootCodes, diskCodes },
} as const;

export const partitionOutputs = {
  /** What is in the partition: bytes, and the `SparseMap` of where they lie in it. */
  data: out.file("data"),
  map: out.file("data.json"),
} as const;

export function partitionTools({ diskFs }: { readonly diskFs: string }): Readonly<Record<string, ToolUse>> {
  const isFat = diskFs === "fat32";
  const uses = (names: readonly string[], isNeeded: boolean) =>
    names.map((name): [string, ToolUse] => [name, isNeeded ? "needed" : "unused"]);
  return Object.fromEntries([
    ...uses(["tar"], true),
    ...uses(["mke2fs", "debugfs"], !isFat),
    ...uses(["mkfs.vfat", "mcopy", "mmd"], isFat),
  ]);
}

type PartitionContext = Pick<AnyTaskContext, "$" | "scratch" | "join" | "note"> & {
  readonly params: {
    readonly epoch: string;
    readonly bootMenu: string;
    readonly diskLayout: string;
    readonly diskFs: string;
    readonly diskSeed: string;
    readonly diskCodes: readonly string[];
  };
  readonly outputs: { readonly data: string; readonly map: string };
};

interface PartitionParts {
  /** Core's boot directory. */
  readonly boot: string;
  readonly initrd: InitrdChunks;
  /** Files and directories by their paths in an ISO; a later one is laid over an earlier one. */
  readonly files: Readonly<Record<string, string>>;
  /** The file of the `DiskPlan`. */
  readonly plan: string;
}

/** Makes the partition. Paths are absolute. @throws UserError `disk-size`, `disk-fat` */
export async function makeDataPartition(
  { boot, initrd, files, plan: planFile }: PartitionParts,
  { $, params, outputs, scratch, join, note }: PartitionContext,
): Promise<void> {
  const plan = JSON.parse(await readFile(planFile, "utf8")) as DiskPlan;
  const root = path.join(scratch, "root");
  const filter = (source: string): boolean => path.relative(boot, source) !== initrd.plan.initrd;
  await cp(boot, path.join(root, "boot"), { recursive: true, mode: constants.COPYFILE_FICLONE, filter });
  await join(path.join(root, bootPath(initrd.plan.initrd)), initrd.initrd);
  for (const [name, from] of Object.entries(files))
    await cp(from, path.join(root, name), { recursive: true, mode: constants.COPYFILE_FICLONE });
  await renameCde(root);
  const menu = await readBootMenu(path.join(root, "boot"));
  for (const { name } of menu.broken)
    note(`the disk's menu omits "${printName(name)}", whose files the ISO does not have`);
  await placeMenu(menu, root, params);

  const { fs } = diskKind(params);
  const ids = diskNames(params);
  const time = Number(params.epoch);
  const content = await settle(root, time);
  const size = plan.data.sectors * sectorSize;
  const needed =
    fs === "fat32"
      ? fatSizeFor(content.files, content.directories)
      : extSizeFor(fs, content.files, content.directories);
  if (needed > size) throw tooSmall(needed, plan);
  const volume = path.join(scratch, "data.img");
  if (fs === "fat32") {
    refuseOnFat(content);
    const { start } = plan.data;
    await writeFatVolume($, root, volume, { size, start, volumeId: ids.dataVolume, label, epoch: time });
  } else {
    await writeExt($, root, volume, { kind: fs, size, uuid: ids.data, label, epoch: time, scratch });
  }
  const archive = await archiveSparse($, volume, scratch);
  await rm(volume);
  await writeFile(outputs.map, JSON.stringify(await takeOutExtents(archive, outputs.data)));
}

/** The volume's label, for `LABEL=DATA` in boot codes. */
const label = "DATA";

/** Makes the tce directory of what an ISO has in `cde/`; Tiny Core expects both of what is in it. */
async function renameCde(root: string): Promise<void> {
  const [cde, tce] = [path.join(root, "cde"), path.join(root, "tce")];
  if ((await readdir(root)).includes("cde")) await rename(cde, tce);
  await mkdir(path.join(tce, "optional"), { recursive: true });
  await writeFile(path.join(tce, "onboot.lst"), "", { flag: "a" });
}

/** Puts GRUB's menu in the place of isolinux and its menu. */
async function placeMenu(menu: BootMenu, root: string, params: PartitionContext["params"]): Promise<void> {
  await rm(path.join(root, "boot/isolinux"), { recursive: true, force: true });
  await mkdir(path.join(root, "boot/grub"), { recursive: true });
  const text = diskMenu(menu, params.diskCodes, params.bootMenu === "closed");
  await writeFile(path.join(root, "boot/grub/grub.cfg"), text, "latin1");
}

interface Content {
  /** Sizes in bytes. */
  readonly files: readonly number[];
  readonly directories: number;
  /** A symlink, relative to the root. */
  readonly link: string | undefined;
}

/** Gives everything below the directory a mode and a time that do not depend on who builds, and counts it. */
async function settle(root: string, time: number): Promise<Content> {
  const files: number[] = [];
  let directories = 1;
  let link: string | undefined;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const place = path.join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) link = path.relative(root, place);
    else if (entry.isDirectory()) {
      directories += 1;
      await chmod(place, 0o755);
    } else {
      const { size, mode } = await stat(place);
      files.push(size);
      await chmod(place, (mode & 0o100) === 0 ? 0o644 : 0o755);
    }
    await lutimes(place, time, time);
  }
  return { files, directories, link };
}

/** Bytes of the largest file that FAT has room for. */
const largestOnFat = 2 ** 32 - 1;

function refuseOnFat({ files, link }: Content): void {
  const why =
    link !== undefined
      ? `${printName(link)} is a symlink, which FAT does not have`
      : files.some((size) => size > largestOnFat)
        ? "a file of 4 GiB or more does not fit on FAT"
        : undefined;
  if (why === undefined) return;
  throw new UserError(why, {
    code: "disk-fat",
    where: "--disk-fs fat32",
    hint: "use --disk-fs ext4, or leave the file out",
  });
}

function tooSmall(needed: number, { sectors, data }: DiskPlan): UserError {
  const mebibyte = 1024 ** 2;
  const beside = (sectors - data.sectors) * sectorSize;
  const least = Math.ceil((needed + beside) / mebibyte) + 1;
  return new UserError(
    `the disk is too small: it has ${Math.floor((sectors * sectorSize) / mebibyte)} MiB, but its content needs ${least} MiB`,
    { code: "disk-size", where: "--disk-size", hint: `use --disk-size ${least}MiB or more` },
  );
}
