import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKeyValues } from "../../src/engine/index.ts";
import { nearest, UserError } from "../../src/errors/index.ts";
import { looksLikeHtml } from "../../src/fetch/http/content-kind.ts";
import { parseRetryAfter } from "../../src/fetch/http/retry.ts";
import {
  formatLock,
  parseDependencies,
  parseExtensionList,
  parseGemList,
  parseInfo,
  parseLocation,
  parseLock,
  parseMd5File,
  proxyFor,
  publicUrl,
} from "../../src/fetch/index.ts";
import { nameFault } from "../../src/fetch/pins/list.ts";
import { parseGemInfo } from "../../src/fetch/rubygems/gem-index.ts";
import {
  formatGemRequirement,
  parseGemRequirement,
  satisfies,
} from "../../src/fetch/rubygems/gem-requirement.ts";
import { compareGemVersions, parseGemVersion } from "../../src/fetch/rubygems/gem-version.ts";
import {
  dependenciesIn,
  parseDependencyIndex,
  parseMd5Index,
  parseNameIndex,
  parseSizeIndex,
} from "../../src/fetch/tinycore/indexes.ts";
import { parseRange } from "../../src/serve/range.ts";
import { cases } from "../support/cases.ts";

/** Text that is near enough to the real formats to get past the first check of a parser. */
const token = fc.constantFrom(
  "bash.tcz",
  "scsi-KERNEL.tcz",
  "a..b.tcz",
  "../x.tcz",
  "/",
  "\0",
  "\uFEFF",
  "#",
  " ",
  "\t",
  "\r\n",
  "\n",
  "\n\n",
  "---",
  "|",
  ":",
  ",",
  "&",
  "~>",
  ">=",
  "1.2.3",
  "1.0.a",
  "9".repeat(40),
  "-java",
  "checksum:",
  "0".repeat(32),
  "f".repeat(64),
  "ruby",
  "Title:",
  "{",
  "}",
  '"version": 1',
  '"sources":',
  '"x":',
  "[",
  "]",
  "bytes=",
  "-",
  "*",
  "http://",
  "user:secret@",
  "host",
  "%zz",
  "💥",
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 120 }),
  fc.array(fc.oneof(token, fc.string({ maxLength: 6 })), { maxLength: 40 }).map((parts) => parts.join("")),
);

/** With ten parsers and more that is over 100,000 cases. */
const numRuns = 10_000;

/** A parser either gives a value or an error that is meant for the user. */
function check(parse: (input: string) => void): void {
  fc.assert(
    fc.property(text, (input) => {
      try {
        parse(input);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    cases(numRuns),
  );
}

describe("whatever a file holds, reading it gives a value or a message for the user", () => {
  it("extension lists, whose names are always safe", () => {
    check((input) => {
      for (const { name } of parseExtensionList(input, "l").entries) {
        expect(name).not.toMatch(/[/\\\0]|\.\./);
        expect(nameFault(name)).toBeUndefined();
      }
    });
  });

  it("gem lists", () => {
    check((input) => {
      for (const { name } of parseGemList(input, "g")) expect(name).not.toMatch(/[/\\\0]|\.\./);
    });
  });

  it("dependencies and their index", () => {
    check((input) => {
      for (const name of parseDependencies(input, "d")) expect(nameFault(name)).toBeUndefined();
    });
    check((input) => {
      const index = parseDependencyIndex(input, "d");
      for (const name of index.records.keys()) {
        for (const dep of dependenciesIn(index, name, "d")) expect(nameFault(dep)).toBeUndefined();
      }
    });
  });

  it("the other indexes and what stands beside an extension", () => {
    check((input) => {
      for (const name of parseMd5Index(input, "m").keys()) expect(nameFault(name)).toBeUndefined();
    });
    check((input) => {
      for (const size of parseSizeIndex(input, "s").values()) expect(Number.isSafeInteger(size)).toBe(true);
    });
    check((input) => {
      parseNameIndex(input);
      parseMd5File(input, "m");
    });
    check((input) => {
      parseInfo(input);
      parseRange(input, 10);
      parseRetryAfter(input, 0);
      looksLikeHtml(Buffer.from(input));
      nearest(input, ["bash.tcz", input]);
    });
  });

  it("the compact index of a gem", () => {
    check((input) => {
      for (const release of parseGemInfo(input, "x", "u")) {
        for (const dep of release.deps) expect(dep.name).not.toMatch(/[/\\\0]|\.\./);
      }
    });
  });

  it("the lock, which is written again as it was read", () => {
    check((input) => {
      const lock = parseLock(input, "l");
      expect(formatLock(parseLock(formatLock(lock), "l"))).toBe(formatLock(lock));
    });
  });

  it("a configuration file", () => {
    const keys = new Set(["MK_BUNDLE_TYPE", "KEY"]);
    check((input) => {
      for (const [key, value] of parseKeyValues(`KEY=${input}`, "bundle.cfg", keys)) {
        expect(keys).toContain(key);
        expect(value).not.toMatch(/\n/);
      }
      parseKeyValues(input, "bundle.cfg", keys);
    });
  });

  it("URLs and proxies", () => {
    check((input) => {
      expect(publicUrl(`http://user:s3cret@${input}`)).not.toContain("s3cret");
      parseLocation(input);
      proxyFor(new URL("http://h/"), { http_proxy: input, no_proxy: input });
    });
  });
});

describe("versions of gems", () => {
  const version = fc
    .array(fc.oneof(fc.nat(12).map(String), fc.constantFrom("a", "b", "rc1", "pre")), { maxLength: 5 })
    .map((parts) => ["1", ...parts].join("."));

  it("have an order: one way round, and transitive", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [x, y, z] = [a, b, c].map(parseGemVersion);
        if (x === undefined || y === undefined || z === undefined) throw new Error("not a version");
        expect(Math.sign(compareGemVersions(x, y))).toBe(-Math.sign(compareGemVersions(y, x)) + 0);
        if (compareGemVersions(x, y) <= 0 && compareGemVersions(y, z) <= 0) {
          expect(compareGemVersions(x, z)).toBeLessThanOrEqual(0);
        }
      }),
      cases(5000),
    );
  });

  it("satisfy `= themselves` and `~> themselves`, and requirements survive being written", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const parsed = parseGemVersion(a);
        const requirement = parseGemRequirement(`~> ${b}, != 99`);
        if (parsed === undefined || requirement === undefined) throw new Error("not parsed");
        const own = parseGemRequirement(`= ${a}, ~> ${a}`);
        expect(own !== undefined && satisfies(parsed, own)).toBe(true);
        const again = parseGemRequirement(formatGemRequirement(requirement));
        expect(again !== undefined && satisfies(parsed, again)).toBe(satisfies(parsed, requirement));
      }),
      cases(5000),
    );
  });
});
