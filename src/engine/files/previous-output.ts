/**
 * Joined files as they were the last time: most of the next one's bytes stand there already, and the kernel copies
 * them quicker than anybody writes them, be it while the rest is still being made.
 */
import { constants } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import type { Digest } from "../define/names.ts";
import { signatureAt } from "./stat-cache.ts";

/** A part's place in a file, in bytes. */
export interface PlacedPart {
  readonly digest: Digest;
  readonly size: number;
}

interface PreviousOutput {
  /** Where it stands (absolute). */
  readonly file: string;
  /** Its status when it was put there: as long as it is the same, so are the bytes. */
  readonly signature: string;
  readonly parts: readonly PlacedPart[];
}

interface Copy {
  readonly file: string;
  readonly of: PreviousOutput;
  /** Whether it was made. */
  readonly made: Promise<boolean>;
}

export class PreviousOutputs {
  /** By the path that the next one is written to. */
  readonly #previousOutputs = new Map<string, PreviousOutput>();
  readonly #copies = new Map<string, Copy>();
  #count = 0;

  /** What was written to `target` stands at `file` now, with this status. */
  remember(target: string, file: string, signature: string, parts: readonly PlacedPart[]): void {
    this.#previousOutputs.set(target, { file, signature, parts });
  }

  /** Begins to copy what will be changed into the targets below a directory; a copy stands beside the directory. */
  anticipate(directory: string): void {
    for (const target of this.#previousOutputs.keys())
      if (target.startsWith(`${directory}/`)) this.#copy(target, directory);
  }

  /**
   * Puts a copy of the previous file at `target`, where nothing is, and returns its parts. Undefined where there
   * is none, or where it is no longer what was written.
   */
  async bring(target: string): Promise<readonly PlacedPart[] | undefined> {
    const copy = this.#copies.get(target) ?? this.#copy(target, target);
    if (copy === undefined) return undefined;
    const made = await copy.made;
    this.#copies.delete(target);
    // Looked at once more: what changed while it was being copied may be in the copy.
    if (made && isStill(copy.of)) {
      await rename(copy.file, target);
      return copy.of.parts;
    }
    await rm(copy.file, { force: true });
    return undefined;
  }

  /** Removes the copies that were not needed. */
  async giveUp(): Promise<void> {
    const copies = [...this.#copies.values()];
    this.#copies.clear();
    for (const { made, file } of copies) {
      await made;
      await rm(file, { force: true });
    }
  }

  #copy(target: string, beside: string): Copy | undefined {
    const previous = this.#previousOutputs.get(target);
    if (previous === undefined || this.#copies.has(target)) return undefined;
    if (!isStill(previous)) {
      this.#previousOutputs.delete(target);
      return undefined;
    }
    this.#count += 1;
    const file = `${beside}-previous-${this.#count}`;
    // Whatever it was that made it impossible, writing it all meets it again, and reports it.
    const made = copyFile(previous.file, file, constants.COPYFILE_FICLONE).then(
      () => true,
      () => false,
    );
    const copy = { file, of: previous, made };
    this.#copies.set(target, copy);
    return copy;
  }
}

function isStill({ file, signature }: PreviousOutput): boolean {
  return signatureAt(file) === signature;
}
