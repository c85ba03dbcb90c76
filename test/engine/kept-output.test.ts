/** Long output keeps its beginning and its end, whatever the pieces that it comes in. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { KeptOutput } from "../../src/engine/index.ts";

const directory = mkdtempSync(path.join(tmpdir(), "kept output "));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each([
  ["in memory", undefined],
  ["in a file", path.join(directory, "printed")],
])("output that is kept %s", (_, file) => {
  it("is all of it up to the limit, and beyond that its beginning and its end", () => {
    const pieces = fc.array(
      fc.string({ minLength: 1, maxLength: 5000, unit: fc.constantFrom("a", "b", "\n") }),
    );
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 2, max: 200_000 }),
        fc.integer({ min: 0, max: 40 }),
        (some, limit, times) => {
          const all = Array.from({ length: times }, () => some).flat();
          const text = all.join("");
          const kept = new KeptOutput(limit, file);
          for (const piece of all) kept.add(piece);
          const half = Math.floor(limit / 2);
          const before = kept.text;
          kept.close();
          expect(kept.text).toBe(before);
          if (text.length <= limit) expect(before).toBe(text);
          else {
            const [head, tail] = before.split(/\n\[\d+ [kM]B omitted\]\n/);
            expect(head).toBe(text.slice(0, half));
            expect(tail).toBe(text.slice(text.length - (limit - half)));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is cut between characters, never within one", () => {
    const kept = new KeptOutput(1001, file);
    for (let time = 0; time < 100_000; time += 1) kept.add("é€😀");
    const { text } = kept;
    kept.close();
    expect(text).not.toContain("\ufffd");
    expect(text).toMatch(/^é€😀/);
    expect(text).toMatch(/é€😀$/);
  });
});
