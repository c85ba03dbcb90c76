/** Files with damage of the kinds that get past a reader's first checks: other numbers, moved pieces, a missing end. */
import fc from "fast-check";

interface Change {
  readonly kind: "byte" | "number" | "copy" | "cut" | "fill";
  /** Shares of the file's length, and a value. */
  readonly at: number;
  readonly from: number;
  readonly length: number;
  readonly value: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("byte", "byte", "number", "number", "copy", "fill", "cut"),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  from: fc.double({ min: 0, max: 0.999, noNaN: true }),
  length: fc.integer({ min: 1, max: 300 }),
  value: fc.oneof(
    fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  ),
});

/** Some changes to a file, all in one stretch of it; small to print. */
export interface Mutation {
  readonly changes: readonly Change[];
  readonly stretch: number;
}

/** Changes in one of so many stretches. */
export function mutations(stretches: number): fc.Arbitrary<Mutation> {
  return fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 5 }),
    stretch: fc.nat(stretches - 1),
  });
}

/** A damaged copy; `stretches` are places with structure, since what lies between is contents or nothing. */
export function mutate(
  valid: Buffer,
  { changes, stretch }: Mutation,
  stretches: readonly (readonly [start: number, end: number])[],
): Buffer {
  let bytes = Buffer.from(valid);
  const [start, end] = stretches[stretch] ?? [0, valid.length];
  for (const { kind, at, from, length, value } of changes) {
    const place = Math.min(bytes.length - 1, start + Math.floor(at * (end - start)));
    if (place < 0) break;
    const source = Math.min(bytes.length, start + Math.floor(from * (end - start)));
    if (kind === "byte") bytes[place] = value & 0xff;
    else if (kind === "fill") bytes.fill(value & 0xff, place, Math.min(bytes.length, place + length));
    else if (kind === "copy") bytes.copy(bytes, place, source, source + length);
    else if (kind === "number" && place + 4 <= bytes.length) bytes.writeUInt32LE(value, place);
    // One in four, or little else would be tried.
    else if (kind === "cut" && value % 4 === 0) bytes = bytes.subarray(0, place);
  }
  return bytes;
}
