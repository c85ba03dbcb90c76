/** Which packages an image gets with a listed one, and what is said of those that it cannot get. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import type { Alternatives } from "../../tasks/debian/apt-records.ts";
import { parseProviders } from "../../tasks/debian/dependency-choice.ts";
import { closePackageSet, describePackageSet } from "../../tasks/debian/package-set.ts";
import { presenceIn } from "../../tasks/debian/present-packages.ts";

const listed = (name: string, line = 1) => ({ file: `${name}.deb`, name, where: `lists/b.lst:${line}` });

function close(
  lists: readonly string[],
  depends: Readonly<Record<string, readonly Alternatives[]>>,
  offered: Readonly<Record<string, string>> = {},
) {
  return closePackageSet({
    listed: lists.map((name, index) => listed(name, index + 1)),
    isPresent: (name) => name === "libc6",
    dependenciesOf: async (packages) => packages.map(({ name }) => depends[name] ?? []),
    choose: async (open) =>
      open.map(({ alternatives }) => alternatives.map((name) => offered[name]).find((name) => name)),
  });
}

describe("packages that a listed one depends on", () => {
  const jq = { jq: [["libjq1"], ["libc6"]], libjq1: [["libonig5"], ["libc6"], ["jq"]] };

  it("are taken along with their own dependencies, and named with the list's line", async () => {
    const set = await close(["jq"], jq, { libjq1: "libjq1", libonig5: "libonig5" });
    expect(set.members.map(({ name, depends, where }) => [name, depends, where])).toEqual([
      ["jq", ["libjq1"], "lists/b.lst:1"],
      ["libjq1", ["jq", "libonig5"], "lists/b.lst:1 → jq.deb"],
      ["libonig5", [], "lists/b.lst:1 → jq.deb → libjq1.deb"],
    ]);
    expect(describePackageSet(set)).toEqual([
      "lists/b.lst:1: jq.deb: the image also gets its dependencies libjq1.deb, libonig5.deb",
    ]);
  });

  it("are named where nothing satisfies them", async () => {
    const set = await close(["jq"], { jq: [["libjq1", "libjq0"]] });
    expect(describePackageSet(set)).toEqual([
      "lists/b.lst:1: jq.deb depends on libjq1 or libjq0: neither the image nor the lists have it, " +
        "and apt offers none for this architecture",
    ]);
  });

  it("are those of the lists before others, and the first that brings an alternative serves the next", async () => {
    const set = await close(
      ["a", "own"],
      { a: [["libx", "own"], ["mta"], ["postfix", "exim"]] },
      { mta: "exim", postfix: "postfix", libx: "libx" },
    );
    expect(set.members.map(({ name, depends }) => [name, depends])).toEqual([
      ["a", ["own", "exim"]],
      ["own", []],
      ["exim", []],
    ]);
  });

  it("of a package with many are counted behind the first ten", async () => {
    const many = Array.from({ length: 12 }, (_, index) => `lib${index}`);
    const set = await close(
      ["a"],
      { a: many.map((name) => [name]) },
      Object.fromEntries(many.map((n) => [n, n])),
    );
    expect(describePackageSet(set)[0]).toMatch(/lib9\.deb, and 2 more$/);
  });
});

it("what Core has is known by its programs and by the names that Debian gives libraries' packages", () => {
  const core = new FileTree();
  for (const path of [
    "usr/lib/libstdc++.so.6",
    "lib/libz.so.1",
    "usr/lib/libcom_err.so.2",
    "usr/lib/libssl.so.3",
  ])
    core.addFile(path, bytesContent(""), { mtime: 0 });
  core.addFile("usr/lib/libpcre2-8.so.0", bytesContent(""), { mtime: 0 });
  core.addSymlink("bin/tar", "busybox", { mtime: 0 });
  const isPresent = presenceIn(core);
  const present = [
    "libstdc++6",
    "zlib1g",
    "libcom-err2",
    "libssl3",
    "libssl3t64",
    "libpcre2-8-0",
    "tar",
    "libc6",
  ];
  expect(present.filter((name) => !isPresent(name))).toEqual([]);
  expect(["libjq1", "libssl1.1", "jq", "perl"].filter(isPresent)).toEqual([]);
});

it("providers of a virtual package are read as apt-cache(8) prints them", () => {
  const output = [
    "Package: mail-transport-agent",
    "Versions: ",
    "",
    "Reverse Depends: ",
    "  mutt,mail-transport-agent",
    "Dependencies: ",
    "Provides: ",
    "Reverse Provides: ",
    "ssmtp 2.64-11 (= )",
    "postfix 3.7.11-0+deb12u1 (= )",
    "postfix 3.7.10 (= )",
    "Package: nothing",
    "Versions: ",
    "Reverse Provides: ",
    "",
  ].join("\n");
  expect([...parseProviders(output)]).toEqual([
    ["mail-transport-agent", ["postfix", "ssmtp"]],
    ["nothing", []],
  ]);
});
