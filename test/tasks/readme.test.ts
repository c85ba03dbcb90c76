/** README of an image: the fields of its template. */
import { describe, expect, it } from "vitest";
import { firstReadme, renderReadme } from "../../tasks/settings/readme.ts";

const values = {
  version: "1.2.0",
  variant: "prod",
  epoch: 1_600_000_000,
  contents: [
    { name: "vmlinuz", bytes: 7_000_000, sha256: "a".repeat(64) },
    { name: "a$&b.tcz", bytes: 12, sha256: "b".repeat(64) },
  ],
};

describe("a template of README", () => {
  it("gets version, variant, the day in UTC, a table and lines of sha256sum", () => {
    const text = renderReadme(
      "{{version}} {{ variant }} {{date}}\n{{contents}}\n{{digests}}\n",
      values,
      "README",
    );
    expect(text).toBe(
      `1.2.0 prod 2020-09-13\nvmlinuz   7000000\na$&b.tcz       12\n${"a".repeat(64)}  vmlinuz\n${"b".repeat(64)}  a$&b.tcz\n`,
    );
  });

  it("keeps the fields that are filled in later, and braces that are no fields", () => {
    expect(renderReadme("{{ version }} {date} {{date}}", values, "README", ["version"])).toBe(
      "{{version}} {date} 2020-09-13",
    );
  });

  it("is refused, with its line, if it has a field that does not exist", () => {
    const refused = expect.objectContaining({ code: "readme-field", where: "README:2" });
    expect(() => renderReadme("a\n{{versoin}}\n", values, "README")).toThrow(refused);
    for (const name of ["toString", ""])
      expect(() => renderReadme(`a\n{{${name}}}`, values, "README"), name).toThrow(refused);
  });

  it("begins as one that has every kind of content", () => {
    const text = renderReadme(firstReadme, values, "README");
    expect(text).toContain("1.2.0 (prod), 2020-09-13");
    expect(text).toContain(`${"a".repeat(64)}  vmlinuz`);
  });
});
