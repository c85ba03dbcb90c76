/**
 * The `Range` header of a request, as a server understands it (RFC 9110 14.1.2). It serves nothing.
 */

interface ByteRange {
  /** Positions of the first and the last byte, both included. */
  readonly first: number;
  readonly last: number;
}

/**
 * The one range asked for within `size` bytes; undefined when none is asked for, or several, or in words that
 * are not understood: then the whole is to be sent.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const from = match?.[1] ?? "";
  const to = match?.[2] ?? "";
  if (from === "" && to === "") return undefined;
  if (from === "") {
    const length = Math.min(Number(to), size);
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last };
}
