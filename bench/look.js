// Looking into images of growing sizes: what `task ls` and `task find` take, and how much memory.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { measure, measureMemory } from "./harness/measurement.js";
import { emptyPlace, shell, taskProgram } from "./harness/place.js";
import { bytes, show } from "./harness/table.js";

/** Bytes of an image's extensions, packed, and how many there are. */
const images = [
  { size: 60_000_000, extensions: 60 },
  { size: 800_000_000, extensions: 200 },
];

const filesPerExtension = 50;

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const directory = await emptyPlace("look");
  /** @type {import("./harness/measurement.js").Case[]} */
  const cases = [{ name: "node -e 0", command: [process.execPath, "-e", "0"], cwd: directory }];
  const facts = [];
  // Compiling has a memory of its own.
  await shell({ cwd: directory })`${process.execPath} ${taskProgram} ls --help`;
  for (const { size, extensions } of images) {
    const iso = path.join(directory, `${bytes(size)}.iso`);
    await makeImage(directory, iso, size, extensions);
    for (const words of [
      ["ls", iso],
      ["find", iso, "file-7"],
    ]) {
      const command = [process.execPath, taskProgram, ...words];
      cases.push({ name: `task ${words[0]}, ${bytes(size)}`, command, cwd: directory });
      const memory = await measureMemory({ command, cwd: directory });
      if (memory !== undefined) facts.push(`peak memory of ${words[0]}, ${bytes(size)}: ${bytes(memory)}`);
    }
  }
  const rows = await measure(cases, { runs });
  await show("look", {
    title: "listing and searching an image",
    aim: "60 MB in 0.5 s; 800 MB in 2 s and 128 MB of memory",
    reference: "node -e 0",
    rows,
    facts,
  });
  await rm(directory, { recursive: true });
}

/**
 * An ISO with an initrd that has `extensions`, loaded at boot, of `size` bytes together.
 * @param {string} directory
 * @param {string} iso
 * @param {number} size
 * @param {number} extensions
 */
async function makeImage(directory, iso, size, extensions) {
  const root = path.join(directory, "iso");
  const image = path.join(directory, "image");
  const extension = path.join(directory, "extension");
  const optional = path.join(image, "tmp/builtin/optional");
  const $ = shell({ cwd: directory });
  await mkdir(path.join(root, "boot"), { recursive: true });
  await mkdir(optional, { recursive: true });
  const names = Array.from({ length: extensions }, (_, index) => `extension-${index}.tcz`);
  for (const name of names) {
    const from = path.join(extension, "usr/local/share", name);
    await mkdir(from, { recursive: true });
    for (let index = 0; index < filesPerExtension; index += 1)
      await writeFile(path.join(from, `file-${index}`), `${name} ${index}\n`);
    // Bytes that no packer makes small.
    await $`head -c ${Math.floor(size / extensions)} /dev/urandom > ${path.join(from, "ballast")}`;
    await $`mksquashfs ${extension} ${path.join(optional, name)} -b 4096 -noD -noappend -quiet -no-progress`;
    await rm(extension, { recursive: true });
  }
  await writeFile(path.join(image, "tmp/builtin/onboot.lst"), names.map((name) => `${name}\n`).join(""));
  await shell({ cwd: image })`find . | cpio -o -H newc --quiet > ${path.join(root, "boot/core.gz")}`;
  await writeFile(path.join(root, "boot/vmlinuz"), "kernel");
  await $`xorriso -as mkisofs -quiet -R -o ${iso} ${root}`;
  await rm(root, { recursive: true });
  await rm(image, { recursive: true });
}
