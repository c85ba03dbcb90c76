/** Values in Ruby's marshal format, read by Ruby itself, which writes the same bytes. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { marshal, type RubyValue } from "../../src/formats/ruby-marshal.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby");

/** Each value as Ruby writes it in source, and ours; none has an object twice. */
const values: readonly (readonly [string, RubyValue])[] = [
  ["nil", null],
  ["[true, false]", [true, false]],
  ...[0, 1, 122, 123, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 30 - 1].map((one) => [`${one}`, one] as const),
  ...[-1, -123, -124, -255, -256, -257, -65_536, -65_537, -(2 ** 30)].map((one) => [`${one}`, one] as const),
  ['"text"', "text"],
  ['"Gr\\u00fc\\u00dfe \\u{1f600}"', "Grüße 😀"],
  ['"x" * 300', "x".repeat(300)],
  ["[:a, :b, :a]", [{ symbol: "a" }, { symbol: "b" }, { symbol: "a" }]],
  [
    '{"a" => ["b"], "c" => {}}',
    {
      pairs: [
        ["a", ["b"]],
        ["c", { pairs: [] }],
      ],
    },
  ],
  ["Time.utc(2020, 2, 29, 23, 59, 58)", new Date("2020-02-29T23:59:58Z")],
  ["Time.utc(1999, 12, 31)", new Date("1999-12-31T00:00:00Z")],
  ['Gem::Version.new("1.0.a")', { class: "Gem::Version", dump: ["1.0.a"] }],
  ["Plain.new", { class: "Plain", variables: { "@one": 1, "@two": "2" } }],
  ["Dumped.new", { class: "Dumped", bytes: Buffer.from([1, 255]) }],
];

const classes = `
  class Plain; def initialize; @one = 1; @two = "2"; end; end
  class Dumped; def _dump(level) = [1, 255].pack("C*"); def self._load(bytes) = new; end`;

describe("marshal", () => {
  it.each(values)("writes %s as Ruby does", (source, value) => {
    const ruby = execFileSync("ruby", ["-e", `${classes}\n$stdout.binmode.write(Marshal.dump(${source}))`]);
    expect(marshal(value).toString("latin1")).toBe(ruby.toString("latin1"));
  });

  it("refuses numbers that need more than 31 bits", () => {
    for (const one of [2 ** 30, -(2 ** 30) - 1, 0.5, Number.NaN])
      expect(() => marshal(one)).toThrow(RangeError);
  });
});
