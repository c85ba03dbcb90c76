/** Core ISOs of every shape in the field, made with cpio, gzip, xz, zstd, xorriso and genisoimage. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("cpio", "genisoimage", "xorriso", "xz", "zstd");

export const release = "6.18.2-tinycore64";

export interface Shape {
  /** Files by their paths on the ISO. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** The ISO writer's command without output and directory; xorriso with Rock Ridge unless said otherwise. */
  readonly writer?: readonly string[];
}

/** A label of an isolinux.cfg. */
export function label(name: string, kernel: string, initrd: string, options = "quiet"): string {
  return `label ${name}\n  kernel ${kernel}\n  append initrd=${initrd} ${options}\n`;
}

/** Parts of Core's initrd, packed by a command. */
export class InitrdParts {
  readonly #$: Shell;
  readonly #directory: string;

  constructor($: Shell, directory: string) {
    this.#$ = $;
    this.#directory = directory;
  }

  /** Files that hold their own names, as one archive packed by `command`. */
  async pack(paths: readonly string[], command: readonly string[] = ["gzip", "-n9"]): Promise<Buffer> {
    const root = path.join(this.#directory, "root");
    await rm(root, { recursive: true, force: true });
    for (const name of paths) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), name);
    }
    const packed = path.join(this.#directory, "packed");
    await this.#$({ cwd: root })`find . -mindepth 1 | cpio -o -H newc --quiet | ${command} -c > ${packed}`;
    return await readFile(packed);
  }

  whole(command?: readonly string[]): Promise<Buffer> {
    return this.pack([`lib/modules/${release}/modules.dep`, "etc/passwd"], command);
  }
}

/** Writes the ISO to `iso` (absolute). */
export async function writeShape($: Shell, iso: string, { files, writer }: Shape): Promise<void> {
  const root = `${iso}.root`;
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  await $`${writer ?? ["xorriso", "-as", "mkisofs", "-quiet", "-R"]} -o ${iso} ${root}`;
}
