/** Records which sectors an ISO's directories occupy, so that none is read twice. */
import { isoSectorSize } from "./iso-descriptors.ts";

export class DirectoryExtents {
  readonly #owners = new Map<number, string>();

  /**
   * Claims the sectors of `size` bytes from `sector` on for the directory `path`. Returns the path of the directory that has one
   * of them already; undefined where there is none.
   */
  claim(sector: number, size: number, path: string): string | undefined {
    const end = sector + Math.ceil(size / isoSectorSize);
    for (let at = sector; at < end; at++) {
      const owner = this.#owners.get(at);
      if (owner !== undefined) return owner;
      this.#owners.set(at, path);
    }
    return undefined;
  }
}
