/** Paths are resolved as Node resolves them, also where nothing has to be resolved. */
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveIn } from "../../src/engine/define/names.ts";
import { cases } from "../support/cases.ts";

const segments = fc.constantFrom("", ".", "..", "...", ".a", "a.", "a", "ä ö", "a\nb", "..a");

describe("a path in a directory", () => {
  it("is what path.resolve says, whatever dots and slashes it has", () => {
    fc.assert(
      fc.property(
        fc.array(segments, { maxLength: 5 }),
        fc.constantFrom("/", "/w", "/w/x y"),
        (parts, directory) => {
          const given = parts.join("/");
          expect(resolveIn(directory, given)).toBe(path.resolve(directory, given));
        },
      ),
      cases(1000),
    );
  });
});
