import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type GemsInput,
  type LockLine,
  openGemIndex,
  parseGemList,
  resolveGems,
  type SourceLock,
} from "../../src/fetch/index.ts";
import { parseGemRequirement, satisfies } from "../../src/fetch/rubygems/gem-requirement.ts";
import { compareGemVersions, parseGemVersion } from "../../src/fetch/rubygems/gem-version.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

function version(text: string) {
  const parsed = parseGemVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

function fits(text: string, requirement: string): boolean {
  const parsed = parseGemRequirement(requirement);
  if (parsed === undefined) throw new Error(`${requirement} is no requirement`);
  return satisfies(version(text), parsed);
}

describe("versions of gems", () => {
  it("are ordered number by number, letters before numbers", () => {
    const rising = [
      "0",
      "0.9",
      "1.a",
      "1.0.a.2",
      "1.0.b1",
      "1.0.rc1",
      "1.0",
      "1.0.1",
      "1.2",
      "1.9.3",
      "1.10",
      "2.0.0.pre",
      "2",
    ];
    for (const [i, a] of rising.entries()) {
      for (const [j, b] of rising.entries()) {
        expect(Math.sign(compareGemVersions(version(a), version(b))), `${a} ${b}`).toBe(Math.sign(i - j));
      }
    }
  });

  it("do not care for zeros at the end, and a dash means a prerelease", () => {
    expect(compareGemVersions(version("1"), version("1.0.0"))).toBe(0);
    expect(compareGemVersions(version("1.0.a.0"), version("1.a"))).toBe(0);
    expect(compareGemVersions(version("1.0-x"), version("1.0"))).toBeLessThan(0);
    expect(
      compareGemVersions(version("1.20120101120000123456789"), version("1.20120101120000123456790")),
    ).toBe(-1);
    for (const bad of ["", "a", "1..2", "1.", ".1", "1/2", "1 2", "../1"])
      expect(parseGemVersion(bad)).toBeUndefined();
  });

  it("satisfy requirements as RubyGems documents them", () => {
    for (const [requirement, yes, no] of [
      ["~> 3.0", ["3.0", "3.0.5", "3.9"], ["2.9", "4.0", "4.0.a"]],
      ["~> 3.0.0", ["3.0.0", "3.0.9"], ["3.1", "2.9"]],
      ["~> 3", ["3.0", "3.9"], ["4", "2"]],
      ["~> 3.0.beta", ["3.0.beta", "3.0", "3.5"], ["3.0.alpha", "4"]],
      [">= 1.7.7", ["1.7.7", "2"], ["1.7.6"]],
      [">= 1, < 2", ["1.5"], ["2", "0.9"]],
      [">= 1 < 2", ["1.5"], ["2"]],
      [">= 1&< 2", ["1.5"], ["2"]],
      ["1.2.3", ["1.2.3", "1.2.3.0"], ["1.2.4"]],
      ["!= 1.2", ["1.3"], ["1.2.0"]],
      ["> 1, <= 2", ["1.0.1", "2"], ["1", "2.0.1"]],
      ["", ["0", "99"], []],
    ] as const) {
      for (const one of yes) expect(fits(one, requirement), `${one} ${requirement}`).toBe(true);
      for (const one of no) expect(fits(one, requirement), `${one} ${requirement}`).toBe(false);
    }
  });
});

const sum = (digit: string) => digit.repeat(64);

describe("gems", () => {
  let shop: Workshop;
  beforeEach(async () => {
    shop = await openWorkshop();
    await gem(
      "json",
      `1.7.7 |checksum:${sum("1")}`,
      `1.8.0 |checksum:${sum("2")}`,
      `2.0.0.pre |checksum:${sum("3")}`,
      `1.9.0-java |checksum:${sum("4")}`,
      `2.1.0 |checksum:${sum("5")},ruby:>= 2.0`,
    );
    await gem("facter", `1.6.10 |checksum:${sum("6")}`, `1.6.9 |checksum:${sum("7")}`);
    await gem("puppet", `2.7.0 facter:~> 1.5,json:~> 1.7&< 1.8|checksum:${sum("8")}`);
    await gem("modern", `1.0 json:>= 2|checksum:${sum("9")}`);
    await gem("choosy", `2.0 json:>= 2|checksum:${sum("a")}`, `1.0 json:< 2|checksum:${sum("b")}`);
    await gem("ring", `1.0 gnir:>= 0|checksum:${sum("c")}`);
    await gem("gnir", `1.0 ring:>= 0|checksum:${sum("d")}`);
    await gem("needy", `1.0 nothere:>= 0|checksum:${sum("e")}`);
  });
  afterEach(() => shop.close());

  const gem = (name: string, ...lines: string[]) => shop.put(`info/${name}`, `---\n${lines.join("\n")}\n`);

  function resolve(list: string, more: Partial<GemsInput> = {}) {
    return resolveGems({
      requests: parseGemList(list, "gem.list"),
      server: shop.server.url,
      lock: new Map(),
      index: openGemIndex(shop.server.url, shop.transport({ offline: more.policy === "offline" })),
      policy: "pin",
      ...more,
    });
  }
  const files = async (list: string, more: Partial<GemsInput> = {}) =>
    (await resolve(list, more)).artifacts.map((artifact) => artifact.name);

  it("are the highest that fit, no prereleases and no other platforms", async () => {
    expect(await files("json")).toEqual(["json-2.1.0.gem"]);
    expect(await files("json < 2")).toEqual(["json-1.8.0.gem"]);
    expect(await files("json 2.0.0.pre")).toEqual(["json-2.0.0.pre.gem"]);
    expect(await files("json", { ruby: "1.8.7" })).toEqual(["json-1.8.0.gem"]);
  });

  it("bring what they need, in one version that suits all", async () => {
    const { artifacts } = await resolve("json\npuppet");
    expect(artifacts.map((artifact) => artifact.name)).toEqual([
      "json-1.7.7.gem",
      "facter-1.6.10.gem",
      "puppet-2.7.0.gem",
    ]);
    expect(artifacts[2]).toMatchObject({
      url: `${shop.server.url}/gems/puppet-2.7.0.gem`,
      sha256: sum("8"),
      kind: "gem",
      version: "2.7.0",
      deps: ["facter ~> 1.5", "json ~> 1.7, < 1.8"],
    });
    expect(await files("choosy\njson < 2")).toEqual(["json-1.8.0.gem", "choosy-1.0.gem"]);
    expect(await files("ring")).toEqual(["gnir-1.0.gem", "ring-1.0.gem"]);
  });

  it("that exclude each other are an error with both paths", async () => {
    const error = await rejection(resolve("puppet\nmodern"));
    expect(error.code).toBe("gem-conflict");
    expect(error.message).toBe(
      'no version of json satisfies both "~> 1.7, < 1.8" (gem.list:1 → puppet 2.7.0 → json) ' +
        'and ">= 2" (gem.list:2 → modern 1.0 → json)',
    );
  });

  it("that nobody has are an error saying who wants them", async () => {
    expect(await rejection(resolve("daemons"))).toMatchObject({ code: "unknown-gem", where: "gem.list:1" });
    expect((await rejection(resolve("needy"))).message).toContain("needy 1.0 needs the gem nothere");
    const none = await rejection(resolve("json > 9"));
    expect(none).toMatchObject({ code: "gem-not-found", where: "gem.list:1" });
    expect(none.message).toContain("the highest is 2.1.0");
    expect(none.hint).toContain("that the gem server has");
  });

  it("that are all prereleases, or for another platform, are an error saying how to ask", async () => {
    await gem("early", `0.1.pre |checksum:${sum("f")}`, `0.2.pre |checksum:${sum("a")}`);
    const early = await rejection(resolve("early"));
    expect(early.message).toContain("the highest is 0.2.pre");
    expect(early.hint).toContain("early = 0.2.pre");
    expect(await files("early = 0.2.pre")).toEqual(["early-0.2.pre.gem"]);
    await gem("jruby-only", `1.0-java |checksum:${sum("b")}`);
    expect((await rejection(resolve("jruby-only"))).message).toContain(
      "no version exists for the platform ruby",
    );
  });

  it("that another gem needs in a version that nobody has: the highest there is is named", async () => {
    await gem("choosier", `1.0 json:>= 9|checksum:${sum("c")}`);
    const error = await rejection(resolve("json\nchoosier"));
    expect(error.message).toBe(
      'no version of json satisfies ">= 9" (gem.list:2 → choosier 1.0 → json): the highest is 2.1.0',
    );
  });

  it("with a broken line in the index are an error naming the line", async () => {
    await gem("json", "1.0 |checksum:zz");
    const error = await rejection(resolve("json"));
    expect(error.code).toBe("bad-gem-index");
    expect(error.where).toBe(`${shop.server.url}/info/json:2`);
    await shop.put("info/json", "---\n1.0 ../evil:>= 0|checksum:\n");
    expect((await rejection(resolve("json"))).code).toBe("bad-gem-index");
  });

  const pins = async (list: string): Promise<SourceLock> => {
    const { artifacts } = await resolve(list);
    return new Map(
      artifacts.map(({ name, url, sha256 = "", version, deps }): [string, LockLine] => [
        name,
        {
          url,
          size: 1,
          sha256,
          ...(version === undefined ? {} : { version }),
          ...(deps === undefined ? {} : { deps }),
        },
      ]),
    );
  };

  it("that are pinned stay as they are, without a request", async () => {
    const lock = await pins("puppet");
    await gem("facter", `9.9 |checksum:${sum("f")}`);
    shop.server.log.length = 0;
    for (const policy of ["pin", "frozen", "offline"] as const) {
      expect(await files("puppet", { lock, policy })).toEqual([
        "facter-1.6.10.gem",
        "json-1.7.7.gem",
        "puppet-2.7.0.gem",
      ]);
    }
    expect(shop.server.log).toEqual([]);
  });

  it("that are new are asked for alone", async () => {
    const lock = await pins("puppet");
    shop.server.log.length = 0;
    expect(await files("puppet\nring", { lock })).toContain("ring-1.0.gem");
    expect(shop.server.log).toEqual(["GET /info/ring", "GET /info/gnir"]);
  });

  it("give up their pin when the list asks for something else", async () => {
    const lock = await pins("json");
    const { artifacts, obsolete } = await resolve("json < 1.8", { lock });
    expect(artifacts.map((artifact) => artifact.name)).toEqual(["json-1.7.7.gem"]);
    expect(obsolete).toEqual(["json-2.1.0.gem"]);
    const error = await rejection(resolve("json < 1.8", { lock, policy: "frozen" }));
    expect(error.code).toBe("frozen");
  });

  it("that may not be asked for are all listed", async () => {
    const error = await rejection(resolve("facter\njson", { policy: "offline" }));
    expect(error.code).toBe("offline");
    expect(error.message).toContain("facter (gem.list:1)");
    expect(error.message).toContain("json (gem.list:2)");
  });

  it("made to take for ever end", async () => {
    const lines = (next: string, bad: string) =>
      Array.from({ length: 12 }, (_, i) => `${i + 1}.0 ${next}:>= 0${bad}|checksum:${sum("0")}`);
    for (let i = 0; i < 12; i += 1) await gem(`n${i}`, ...lines(i < 11 ? `n${i + 1}` : "end", ""));
    await gem("end", `1.0 json:> 9|checksum:${sum("0")}`);
    const error = await rejection(resolve("n0"));
    expect(error.message).toContain("no version of json");
  });
});
