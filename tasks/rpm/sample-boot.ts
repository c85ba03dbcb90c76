/**
 * The boot files of the sample: kernel and initrd of the sample's Core, laid out like a distribution's tree. They start a shell and no
 * installer: the stage 2 of one is made of a distribution's packages, which Debian does not have.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { bytesContent, extractIso, FileTree, joinLayers, writeLayer } from "../../src/formats/index.ts";
import { undated } from "../settings/undated.ts";

const release = { name: "Sample", short: "sample", version: "1.0" } as const;
const arch = "x86_64";

/**
 * Writes them into `target`, an empty directory. `mirror` is the sample source's, `shell` the script that the initrd starts, `scratch` an
 * existing directory; all absolute.
 */
export async function writeSampleBoot({
  mirror,
  shell,
  target,
  scratch,
}: Readonly<Record<"mirror" | "shell" | "target" | "scratch", string>>): Promise<void> {
  const core = path.join(scratch, "core");
  const iso = path.join(mirror, "14.x", arch, "release/CorePure64-current.iso");
  await extractIso(iso, ["boot"], core);
  const boot = path.join(core, "boot");
  for (const name of ["images/pxeboot", "isolinux"])
    await mkdir(path.join(target, name), { recursive: true });
  const images = { "images/pxeboot/vmlinuz": "vmlinuz64", "images/pxeboot/initrd.img": "initrd.img" };
  const layer = path.join(scratch, "shell.gz");
  const script = bytesContent(await readFile(shell));
  await writeLayer(new FileTree().addFile(shellName, script, { mtime: undated, mode: 0o755 }), layer);
  await joinLayers([path.join(boot, "corepure64.gz"), layer], path.join(boot, "initrd.img"));
  for (const [to, from] of Object.entries(images)) {
    await copyFile(path.join(boot, from), path.join(target, to));
    await copyFile(path.join(boot, from), path.join(target, "isolinux", path.basename(to)));
  }
  for (const name of ["isolinux.bin", "ldlinux.c32"])
    await copyFile(path.join(boot, "isolinux", name), path.join(target, "isolinux", name));
  await writeFile(path.join(target, "isolinux/isolinux.cfg"), menu);
  await writeFile(path.join(target, ".treeinfo"), await treeinfo(target, Object.keys(images)));
  // Anaconda's format: time, release, architecture, numbers of the discs.
  await writeFile(
    path.join(target, ".discinfo"),
    `${undated}.000000\n${release.name} ${release.version}\n${arch}\nALL\n`,
  );
}

/** A file of the initrd, which the kernel runs as the first process. */
const shellName = "tree-shell";

const menu = `default linux
timeout 50
label linux
  kernel vmlinuz
  append initrd=initrd.img rdinit=/${shellName} console=tty0 console=ttyS0
`;

/** The file `.treeinfo` (productmd, treeinfo 1.2), with the section that readers of older ones want. */
async function treeinfo(root: string, images: readonly string[]): Promise<string> {
  const digests = await Promise.all(
    images.map(async (name) => {
      const bytes = await readFile(path.join(root, name));
      return `${name} = sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    }),
  );
  const [kernel, initrd] = images;
  return [
    ...["[checksums]", ...digests, ""],
    ...[
      "[general]",
      `arch = ${arch}`,
      `family = ${release.name}`,
      `name = ${release.name} ${release.version}`,
    ],
    ...["packagedir = Packages", `platforms = ${arch}`, "repository = .", `timestamp = ${undated}`],
    ...["variant = Sample", "variants = Sample", `version = ${release.version}`, ""],
    ...["[header]", "type = productmd.treeinfo", "version = 1.2", ""],
    ...[`[images-${arch}]`, `initrd = ${initrd}`, `kernel = ${kernel}`, ""],
    ...[
      "[release]",
      `name = ${release.name}`,
      `short = ${release.short}`,
      `version = ${release.version}`,
      "",
    ],
    ...[
      "[tree]",
      `arch = ${arch}`,
      `build_timestamp = ${undated}`,
      `platforms = ${arch}`,
      "variants = Sample",
      "",
    ],
    ...["[variant-Sample]", "id = Sample", "name = Sample", "packages = Packages", "repository = ."],
    ...["type = variant", "uid = Sample", ""],
  ].join("\n");
}
