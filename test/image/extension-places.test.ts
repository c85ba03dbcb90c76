/** The places of extensions in a remastered image. */
import { expect, it } from "vitest";
import type { ExtensionGraph, ListEntry } from "../../src/fetch/index.ts";
import { placeExtensions, refuseTwoPlaces, type Wishes } from "../../tasks/image/extension-places.ts";

const nothing: Wishes = {
  cdeOnboot: [],
  cdeOndemand: [],
  builtinOnboot: [],
  builtinOndemand: [],
  extracted: [],
};

function entry(name: string, line: number): ListEntry {
  return { name: `${name}.tcz`, kind: "tcz", where: `my.cfg:${line}` };
}

/** A graph of extensions and what each needs; its roots are the wishes. */
function graph(needs: Readonly<Record<string, readonly string[]>>, wishes: Wishes): ExtensionGraph {
  const nodes = Object.entries(needs).map(([name, names]) => {
    const deps = names.map((one) => `${one}.tcz`);
    const way = { name: `${name}.tcz`, from: undefined };
    const rest = { md5: undefined, md5Source: undefined, size: undefined, isOwn: false, where: "", way };
    return [`${name}.tcz`, { name: `${name}.tcz`, deps, needs: deps, ...rest }] as const;
  });
  const roots = Object.values(wishes)
    .flat()
    .map((root) => ({ ...root, group: "builtin" as const }));
  return { roots, nodes: new Map(nodes), isWhole: true };
}

function place(needs: Readonly<Record<string, readonly string[]>>, some: Partial<Wishes>) {
  const wishes = { ...nothing, ...some };
  const placed = placeExtensions(graph(needs, wishes), wishes);
  const names = (items: (typeof placed)["extracted"]) =>
    items.map(({ name }) => name.replace(".tcz", "")).join(" ");
  return {
    extracted: names(placed.extracted),
    builtin: `${names(placed.builtinOnboot)} + ${names(placed.builtinOndemand)}`,
    cde: `${names(placed.cdeOnboot)} + ${names(placed.cdeOndemand)}`,
    notes: placed.notes,
  };
}

it("puts a dependency where it is needed, and only where nothing earlier has it loaded", () => {
  const needs = {
    a: ["lib", "deep"],
    deep: ["lib"],
    lib: [],
    b: ["lib", "other"],
    other: [],
    c: ["other", "deep"],
  };
  const found = place(needs, {
    extracted: [entry("deep", 1)],
    builtinOnboot: [entry("b", 2)],
    cdeOnboot: [entry("a", 3)],
    cdeOndemand: [entry("c", 4)],
  });
  expect(found).toEqual({ extracted: "lib deep", builtin: "other b + ", cde: "a + c", notes: [] });
});

it("gives cde/ what /tmp/builtin has only on demand, since nobody may load it there", () => {
  const found = place(
    { a: ["lib"], lib: [] },
    { builtinOndemand: [entry("lib", 1)], cdeOnboot: [entry("a", 2)] },
  );
  expect(found).toMatchObject({ builtin: " + lib", cde: "lib a + " });
});

it("says where an extension went that another one needs elsewhere", () => {
  const found = place({ a: ["lib"], lib: [] }, { extracted: [entry("a", 1)], cdeOnboot: [entry("lib", 2)] });
  expect(found.extracted).toBe("lib a");
  expect(found.cde).toBe(" + ");
  expect(found.notes).toEqual([
    "my.cfg:2: lib.tcz is in the initrd's tree already, which needs it; cde/ of the ISO does not get it",
  ]);
});

it("refuses an extension that is both extracted and mounted, with both lines", () => {
  const wishes = { ...nothing, extracted: [entry("ssh", 4)], cdeOnboot: [entry("ssh", 2)] };
  expect(() => refuseTwoPlaces(wishes)).toThrow(
    expect.objectContaining({
      code: "extension-places",
      where: "my.cfg:2",
      message: "ssh.tcz is requested for cde/ of the ISO and, at my.cfg:4, for the initrd's tree",
    }),
  );
});
