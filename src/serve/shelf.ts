/**
 * The images that are served, one for each variant, and the files of earlier ones: a machine that has read a script gets the files
 * that the script names, although there is a newer image by then.
 */
import type { BootImage } from "./boot-image.ts";
import { OpenFile } from "./open-file.ts";

/** An image whose files are open. */
export interface ShelvedImage {
  readonly variant: string;
  readonly kernel: OpenFile;
  readonly initrds: readonly OpenFile[];
  readonly args: readonly string[];
}

/** Images of a variant that are kept, the newest among them. A machine loads its files within a minute or two. */
const kept = 8;

export class Shelf {
  /** By variant, oldest first. */
  readonly #images = new Map<string, ShelvedImage[]>();

  /** Puts an image in its variant's place; false where it is the one that is there. Rejects when a file cannot be opened. */
  async put(image: BootImage): Promise<boolean> {
    const before = this.#images.get(image.variant) ?? [];
    if (isSame(before.at(-1), image)) return false;
    const opened: OpenFile[] = [];
    try {
      for (const file of [image.kernel, ...image.initrds]) {
        const there = this.find(file.sha256, file.name);
        there?.retain();
        opened.push(there ?? (await OpenFile.open(file)));
      }
    } catch (error) {
      for (const file of opened) await file.release();
      throw error;
    }
    const [kernel, ...initrds] = opened as [OpenFile, ...OpenFile[]];
    const { variant, args } = image;
    const images = [...before, { variant, kernel, initrds, args }];
    this.#images.set(variant, images.slice(-kept));
    for (const old of images.slice(0, -kept)) await release(old);
    return true;
  }

  /** The variant is not served any more. */
  async remove(variant: string): Promise<void> {
    const images = this.#images.get(variant) ?? [];
    this.#images.delete(variant);
    for (const image of images) await release(image);
  }

  async close(): Promise<void> {
    for (const variant of [...this.#images.keys()]) await this.remove(variant);
  }

  /** The newest image of each variant. */
  get images(): readonly ShelvedImage[] {
    return [...this.#images.values()].flatMap((images) => images.slice(-1));
  }

  /** A file of any image that is kept. */
  find(sha256: string, name: string): OpenFile | undefined {
    for (const image of [...this.#images.values()].flat()) {
      const found = filesOf(image).find((file) => file.sha256 === sha256 && file.name === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function filesOf({ kernel, initrds }: ShelvedImage): readonly OpenFile[] {
  return [kernel, ...initrds];
}

function isSame(shelved: ShelvedImage | undefined, image: BootImage): boolean {
  const text = ({ kernel, initrds, args }: ShelvedImage | BootImage): string =>
    JSON.stringify([[kernel, ...initrds].map(({ name, sha256 }) => [name, sha256]), args]);
  return shelved !== undefined && text(shelved) === text(image);
}

async function release(image: ShelvedImage): Promise<void> {
  for (const file of filesOf(image)) await file.release();
}
