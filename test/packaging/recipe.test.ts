/** `recipe.yaml`: what it says, and what is refused, with the line. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { readDefinitions } from "../../tasks/packaging/definition.ts";
import { readRecipe } from "../../tasks/packaging/recipe.ts";
import { splitTree } from "../../tasks/packaging/split.ts";
import { openProject } from "./project.ts";

describe("a recipe", () => {
  it("has a version, a source, steps, needs, and what is usual where it says nothing", async () => {
    const recipe = await readRecipe("version: 1.2\nsource: src\nbuild-needs: [compiletc, perl5.tcz]\n", "r");
    expect(recipe).toMatchObject({
      ...{ version: "1.2", source: { kind: "path", path: "src" }, strip: true, network: false },
      ...{ buildNeeds: ["compiletc.tcz", "perl5.tcz"], needs: undefined, from: undefined, steps: {} },
    });
  });

  const sum = "a".repeat(64);
  it.each([
    ["source: {url: https://example.org/a.tgz, sha256: SUM}", { kind: "url", sha256: sum }],
    [`source: {git: "https://example.org/a.git", commit: ${"b".repeat(40)}}`, { kind: "git" }],
    ["source: {path: ./src/a.tar.gz}", { kind: "path", path: "src/a.tar.gz" }],
  ])("takes the source of %s", async (line, source) => {
    expect(await readRecipe(`version: '1'\n${line.replace("SUM", sum)}\n`, "r")).toMatchObject({ source });
  });

  it.each<[string, number, string]>([
    ["source: src", 1, "a recipe needs a version"],
    ["version: 1\nsuorce: src", 2, '"suorce" is not a key of recipes'],
    ["version: 1\nsource: ../src", 2, "leads out of the extension's directory"],
    ["version: 1\nsource: {url: https://example.org/a.tgz}", 2, "a download needs its sha256"],
    [
      "version: 1\nsource: {git: 'https://example.org/a.git', commit: main}",
      2,
      "needs a commit of 40 digits",
    ],
    ["version: 1\nsteps:\n  mkae: make", 3, '"mkae" is not a key of recipes'],
    ["version: 1\nsteps:\n  make: [make]", 3, "the step make must be a text"],
    ["version: 1\nsplit:\n  Dev: []", 3, "the name of a part has lower-case letters"],
    ["version: 1\nstrip: sometimes", 2, '"strip" must be true or false'],
    ["version: 1\npatches: fix.patch", 2, '"patches" must be a list'],
    ["version: 1\nfrom: bash.tcz\nsource: src", 3, "packed again has no source"],
    ["version: 1\nremove: [usr]", 2, '"remove" is for extensions that are packed again'],
    ["version: 1\nfrom: bash", 2, '"from" must be the file name'],
    ["version: [", 1, "the file is not YAML"],
  ])("of %j is refused in line %i", async (text, line, message) => {
    await expect(readRecipe(text, "extensions/a/recipe.yaml")).rejects.toMatchObject({
      ...{ code: "recipe", where: `extensions/a/recipe.yaml:${line}` },
      message: expect.stringContaining(message),
    });
  });
});

describe("the parts of a recipe", () => {
  const tree = (): FileTree => {
    const files = [
      "usr/local/bin/a",
      "usr/local/include/a.h",
      "usr/local/lib/a.a",
      "usr/local/share/doc/a/x",
    ];
    const found = new FileTree();
    for (const name of files) found.addFile(name, bytesContent(""), { mtime: 0 });
    return found.ensureParents({ mtime: 0 });
  };
  const split = async (text: string) => {
    const { parts, notes } = await splitTree(tree(), await readRecipe(`version: 1\n${text}`, "r"));
    const names = [...parts].map(([part, files]) => [
      part,
      [...files].filter(([, { type }]) => type === "file").map(([name]) => name),
    ]);
    return { parts: Object.fromEntries(names), notes };
  };

  it("have what their patterns match, directories with all below, and main the rest", async () => {
    expect(await split("split: {dev: ['usr/local/include', '**/*.a'], doc: [/usr/local/share/doc]}")).toEqual(
      {
        parts: {
          main: ["usr/local/bin/a"],
          dev: ["usr/local/include/a.h", "usr/local/lib/a.a"],
          doc: ["usr/local/share/doc/a/x"],
        },
        notes: [],
      },
    );
  });

  it("are noted where a pattern matches nothing", async () => {
    expect((await split("split: {dev: [usr/include]}")).notes).toEqual([
      "the pattern usr/include of the part dev matches nothing",
    ]);
  });

  it.each([
    ["split: {main: [usr/local/bin]}", "usr/local/include/a.h is in no part"],
    ["split: {dev: [usr/local/lib], static: ['**/*.a']}", "usr/local/lib/a.a is in the parts dev and static"],
  ])("of %j are refused", async (text, message) => {
    await expect(split(text)).rejects.toMatchObject({ code: "recipe", message });
  });
});

describe("the extensions of recipes", () => {
  const defined = async (files: Readonly<Record<string, string>>) => {
    const project = openProject();
    try {
      project.write(files);
      const entries = [...new Set(Object.keys(files).map((name) => `${name.split("/")[0]}/`))].sort();
      return await readDefinitions(project.at(""), entries, "extensions");
    } finally {
      project.remove();
    }
  };

  it("are one for each part; a part needs the main one, but documents need nothing", async () => {
    const { definitions } = await defined({
      "a-KERNEL/recipe.yaml": "version: 1\nneeds: [b.tcz]\nsplit: {dev: [x], doc: [y]}\n",
    });
    expect(definitions.map(({ name, deps }) => [name, deps])).toEqual([
      ["a-KERNEL.tcz", ["b.tcz"]],
      ["a-dev-KERNEL.tcz", ["a-KERNEL.tcz"]],
      ["a-doc-KERNEL.tcz", []],
    ]);
  });

  it("have their upstream's dependencies where they are packed again, unless they say others", async () => {
    const { definitions } = await defined({
      "a/recipe.yaml": "version: 1\nfrom: bash.tcz\n",
      "b/recipe.yaml": "version: 1\nfrom: bash.tcz\nneeds: []\n",
    });
    expect(definitions.map(({ like }) => like)).toEqual(["bash.tcz", undefined]);
  });

  it("that wait for one another are refused, also through what an extension needs", async () => {
    await expect(
      defined({
        "a/recipe.yaml": "version: 1\nbuild-needs: [between]\n",
        "b/recipe.yaml": "version: 1\nbuild-needs: [a]\n",
        "between/dep": "b.tcz\n",
      }),
    ).rejects.toMatchObject({
      code: "own-extension",
      message: "the builds of recipes need one another: extensions/a → extensions/b → extensions/a",
    });
  });
});
