/** Packages that are taken along with a listed one. */
import { expect, it } from "vitest";
import type { ClosureItem } from "../../src/fetch/index.ts";
import { extensionOf, readConverted, withDependencies } from "../../tasks/image/converted-packages.ts";

const deb = (name: string): ClosureItem => ({
  kind: "deb",
  name: `${name}.deb`,
  becomes: `${name}.tcz`,
  where: "lists/b.lst:1",
});
const converted = new Map([
  ["jq.tcz", ["libjq1.tcz", "bash.tcz"]],
  ["libjq1.tcz", ["libonig5.tcz", "jq.tcz"]],
  ["libonig5.tcz", []],
]);
const names = (items: readonly ClosureItem[]) => items.map(extensionOf);

it("stand before it, each once, also where they depend on each other", () => {
  const items = withDependencies([deb("jq"), deb("libonig5")], converted);
  expect(names(items)).toEqual(["libjq1.tcz", "jq.tcz", "libonig5.tcz"]);
  expect(items[0]).toEqual({ ...deb("libjq1") });
});

it("stay away where they are at hand, such as from the mirror", () => {
  expect(names(withDependencies([deb("jq")], converted, new Set(["libjq1.tcz"])))).toEqual(["jq.tcz"]);
});

it("are none in a build without packages", async () => {
  expect(await readConverted(undefined)).toEqual(new Map());
  expect(names(withDependencies([deb("jq")], new Map()))).toEqual(["jq.tcz"]);
});
