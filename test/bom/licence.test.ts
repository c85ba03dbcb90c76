/** Licences by the words of mirrors, gems and distributions. */
import { describe, expect, it } from "vitest";
import { describeLicence, readLicences } from "../../src/bom/index.ts";

const read = async (...names: readonly string[]) =>
  (await readLicences(names)).map((licence) => `${licence.kind}: ${describeLicence(licence)}`);

describe("a licence", () => {
  it.each([
    ["MIT", "id: MIT"],
    ["apache-2.0", "id: Apache-2.0"],
    ["GPL-2+", "id: GPL-2.0-or-later"],
    ["GPL-3", "id: GPL-3.0-only"],
    ["LGPL-2.1+", "id: LGPL-2.1-or-later"],
    ["Expat", "id: MIT"],
    ["Artistic", "id: Artistic-1.0"],
    ["Expat or GPL-2+", "expression: MIT OR GPL-2.0-or-later"],
    ["GPL-1+ or Artistic and Expat", "expression: GPL-1.0-or-later OR Artistic-1.0 AND MIT"],
    ["Apache-2.0 OR MIT", "expression: Apache-2.0 OR MIT"],
    ["GPL-2.0-only WITH Linux-syscall-note", "expression: GPL-2.0-only WITH Linux-syscall-note"],
  ])("%s is known to SPDX", async (words, known) => {
    expect(await read(words)).toEqual([known]);
  });

  it.each([
    "GPLv2",
    "GPL",
    "BSD",
    "public-domain",
    "GPL-2+ with Bison exception",
    "Custom or Expat",
    "NOASSERTION",
  ])("%s stays words: it does not say which one is meant", async (words) => {
    expect(await read(words)).toEqual([`named: ${words}`]);
  });

  it.each(["", "  ", "see Original-site", "See http://example.org", "unknown", "---", "N/A"])(
    '"%s" states none',
    async (words) => {
      expect(await read(words)).toEqual([]);
    },
  );

  it("stands once in the list, whatever its spelling", async () => {
    expect(await read("MIT", "Expat", " mit ", "and MIT")).toEqual(["id: MIT"]);
  });
});
