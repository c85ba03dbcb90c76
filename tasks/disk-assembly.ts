/** A disk's image, written of its parts: each at its place, with holes for all else. */
import { readFile, rename } from "node:fs/promises";
import path from "node:path";
import type { AnyTaskContext, SparsePiece, ToolUse } from "../src/engine/index.ts";
import { fixImageIds, type SparseMap } from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import { type DiskPlan, type Partition, sectorSize } from "./image/disk-layout.ts";
import { diskFormat, diskLayout } from "./settings/disk-options.ts";

export const assemblyParams = { diskFormat, diskLayout } as const;

/** What qemu-img does not need to be asked for. */
const rawFormat = "raw";

export function assemblyTools({
  diskFormat,
}: {
  readonly diskFormat: string;
}): Readonly<Record<string, ToolUse>> {
  return { "qemu-img": diskFormat === rawFormat ? "unused" : "needed" };
}

/** File name of an image in a format. */
export function diskName(name: string, format: string): string {
  return `${name}.${format === rawFormat ? "img" : format}`;
}

interface DiskParts {
  /** Outputs of `disk-loaders`. */
  readonly loaders: Readonly<Record<"plan" | "head" | "tail" | "esp" | "espMap", string>>;
  /** Outputs of the step that makes the data partition. */
  readonly data: Readonly<Record<"data" | "map", string>>;
  /** Where the image will be, relative to the workspace. */
  readonly shown: string;
}

type AssemblyContext = Pick<AnyTaskContext, "$" | "scratch" | "writeSparse" | "log" | "note"> & {
  readonly params: { readonly diskFormat: string };
};

/** Writes the image to `target`, a sparse output. Paths are absolute. */
export async function assembleDisk(
  { loaders, data, shown }: DiskParts,
  target: string,
  { $, params, scratch, writeSparse, log, note }: AssemblyContext,
): Promise<void> {
  const plan = JSON.parse(await readFile(loaders.plan, "utf8")) as DiskPlan;
  const size = plan.sectors * sectorSize;
  const pieces: readonly SparsePiece[] = [
    { offset: 0, file: loaders.head },
    ...(plan.esp === undefined ? [] : await piecesOf(plan.esp, loaders.esp, loaders.espMap)),
    ...(await piecesOf(plan.data, data.data, data.map)),
    ...(plan.tail === 0 ? [] : [{ offset: size - plan.tail * sectorSize, file: loaders.tail }]),
  ];
  const { diskFormat: format } = params;
  const raw = format === rawFormat ? target : path.join(scratch, "disk.img");
  const written = await writeSparse(raw, size, pieces);
  log(`${written} of ${size} bytes written, the rest are holes`);
  if (format !== rawFormat) await convert($, raw, { format, target, shown, seed: plan.script });
  const uefi = plan.esp === undefined ? "" : " (for UEFI, add -bios with the path of OVMF)";
  note(
    `boot it with: qemu-system-x86_64 -m 1024 -drive file=${shown},format=${format},if=virtio,snapshot=on${uefi}`,
  );
}

/** Makes an image of another format, whose ids are made of the disk's. `target` is an output. */
async function convert(
  $: Shell,
  raw: string,
  {
    format,
    target,
    shown,
    seed,
  }: { readonly format: string; readonly target: string; readonly shown: string; readonly seed: string },
): Promise<void> {
  // A vmdk image has its own name in it.
  const made = path.join(path.dirname(raw), path.basename(shown));
  const compressed = format === "qcow2" ? ["-c"] : [];
  await $`qemu-img convert ${compressed} -f raw -O ${format} ${raw} ${made}`;
  await fixImageIds(made, format, seed);
  await rename(made, target);
}

/** Where the bytes of a partition lie on the disk. */
async function piecesOf(
  { start }: Partition,
  file: string,
  mapFile: string,
): Promise<readonly SparsePiece[]> {
  const { extents } = JSON.parse(await readFile(mapFile, "utf8")) as SparseMap;
  let from = 0;
  return extents.map(({ offset, length }) => {
    const piece = { offset: start * sectorSize + offset, file, from, length };
    from += length;
    return piece;
  });
}
