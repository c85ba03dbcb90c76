/** What may differ between two files. */

/** Which of the two files. */
export type Side = "a" | "b";

export interface Difference {
  /**
   * `field`: of an ISO's structure. `layers`: how many archives an initrd is made of. `layer`: one of them. `only`: a path that one
   * side has. `type`, `mode`, `owner`, `time`, `target`, `device`, `links`: of a path. `content`: of a file. `packing`: the same
   * inside, other bytes.
   */
  readonly kind:
    | "field"
    | "layers"
    | "layer"
    | "only"
    | "type"
    | "mode"
    | "owner"
    | "time"
    | "target"
    | "device"
    | "links"
    | "content"
    | "packing";
  /** The archives that it lies in, outermost first; none for the files themselves. */
  readonly within: readonly string[];
  /** Of a path of the archive, of a field, or of a layer; none for the file as a whole. */
  readonly name?: string;
  /** Absent where that side has nothing of the kind. */
  readonly a?: string;
  readonly b?: string;
  /** Number of the layer that each side's entry comes from, from 1. */
  readonly layers?: { readonly a?: number; readonly b?: number };
  /** Of text files: the changed lines with some around them, as `diff -u` has them. */
  readonly lines?: readonly string[];
}

/** Two values of which either may be absent. */
export function sides<T>(a: T | undefined, b: T | undefined): { readonly a?: T; readonly b?: T } {
  return { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
}
