/**
 * What the kernel makes of several initrd layers: the merged tree, and where a later layer does not do what it seems to.
 * The caller decides what to do about a problem.
 */
import { type Merged, MergeState } from "./merge-state.ts";
import type { FileTree } from "./tree.ts";

export type { Merged } from "./merge-state.ts";

/**
 * Merges layers in order; entries of a layer apply in byte order, as `writeCpio` writes them. Hard-link groups of different
 * layers stay apart, save where a layer writes into a lower one's file.
 */
export function mergeLayers(layers: readonly FileTree[]): Merged {
  const state = new MergeState();
  for (const layer of layers) state.add(layer);
  return state.finish();
}

/** Layers merged in order, as `mergeLayers` does it: what lies below several layers is merged once. */
export class LayerStack {
  readonly #state: MergeState;

  constructor(layers: Iterable<FileTree> = [], state: MergeState = new MergeState()) {
    this.#state = state;
    for (const layer of layers) state.add(layer);
  }

  /** How many layers there are: the index of the next one. */
  get size(): number {
    return this.#state.size;
  }

  /** A stack with further layers on top; this one stays as it is. */
  with(...layers: readonly FileTree[]): LayerStack {
    return new LayerStack(layers, this.#state.copy());
  }

  /** What the layers are together; the caller may change it. */
  merged(): Merged {
    return this.#state.copy().finish();
  }
}
