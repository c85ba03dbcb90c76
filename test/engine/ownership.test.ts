/** Refused Taskfiles: a task that reads its own output would never finish. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Input } from "../../src/engine/define/declared-input.ts";
import type { Output } from "../../src/engine/define/declared-output.ts";
import { file, files, out, param, type Task, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

function reading(input: Input, output: Output): Task {
  return task({
    name: "snake",
    description: "",
    inputs: { food: input },
    outputs: { tail: output },
    run: ({ outputs }) => {
      if (output.kind === "file") writeFileSync(outputs.tail, "");
    },
  }) as Task;
}

const where = param.path({ name: "where", description: "", value: "FILE", default: "build/made" });

describe("a task that reads what it makes", () => {
  const circles: Readonly<Record<string, readonly [Input, Output]>> = {
    "a file by its name": [file("build/made", { optional: true }), out.artifact("build/made")],
    "a file that a parameter names": [file(where, { optional: true }), out.artifact("build/made")],
    "a file by a pattern": [files("**/m*", { optional: true }), out.artifact("build/made")],
    "a file in its directory": [file("build/in", { optional: true }), out.artifactDirectory("build")],
    "all of its directory": [files("**", { root: "build", optional: true }), out.artifactDirectory("build")],
    "a directory in its directory": [
      files("*", { root: "build/in", optional: true }),
      out.artifactDirectory("build"),
    ],
    "some of its directory, by a pattern": [
      files("b*/x/*.txt", { optional: true }),
      out.artifactDirectory("build"),
    ],
    "some of its directory, by one of several": [
      files("{lists/a,build/x}/*.txt", { optional: true }),
      out.artifactDirectory("build"),
    ],
    "a directory of its cache": [
      files("**", { root: ".buildcache/v1/out", optional: true }),
      out.directory("tree"),
    ],
  };
  for (const [what, [input, output]] of Object.entries(circles)) {
    it(`is refused before it runs, with the place and the input's name: ${what}`, async () => {
      await expect(run(workspace({ "lists/a/x.txt": "" }), [reading(input, output)])).rejects.toMatchObject({
        code: "output-is-input",
        message: expect.stringContaining('(input "food")'),
        where: expect.stringMatching(/^ownership\.test\.ts:\d+$/),
      });
    });
  }

  const straight: Readonly<Record<string, readonly [Input, Output]>> = {
    "another file of the same directory": [files("build/*.txt"), out.artifact("build/made")],
    "what is beside its directory": [files("*.txt", { root: "build" }), out.artifactDirectory("build/made")],
    "all but what it makes": [files("**", { ignore: ["build/made"] }), out.artifact("build/made")],
    "all but its directory": [
      files("**", { ignore: ["build/made/**"] }),
      out.artifactDirectory("build/made"),
    ],
    "all but the directory above it": [
      files("**", { ignore: ["b*/made"] }),
      out.artifactDirectory("build/made/x"),
    ],
  };
  for (const [what, [input, output]] of Object.entries(straight)) {
    it(`is not one that reads ${what}`, async () => {
      const root = workspace({ "build/a.txt": "" });
      expect((await run(root, [reading(input, output)])).outcome).toBe("succeeded");
      expect((await run(root, [reading(input, output)])).outcomes["snake@dev"]).toBe("fresh");
    });
  }
});

describe("a pattern that means all of a directory", () => {
  for (const directory of [".", ".."]) {
    it(`does not mean the cache that is in it (${directory})`, async () => {
      const above = workspace({});
      const root = workspace({ "a (1)/text": "" }, above);
      const list = task({
        name: "list",
        description: "",
        inputs: { all: files("**", { root: directory, ignore: ["**/list"] }) },
        outputs: { list: out.artifact("list") },
        run: ({ inputs, outputs }) => writeFileSync(outputs.list, inputs.all.paths.join("\n")),
      });
      await run(root, [list]);
      expect(readFileSync(`${root}/list`, "utf8")).toMatch(/^(engine test \w+\/)?a \(1\)\/text$/);
      expect((await run(root, [list])).outcomes["list@dev"]).toBe("fresh");
    });
  }
});

describe("a name", () => {
  for (const name of ["", "../out", "a/b", "a@dev", "two words", "-x", ".", "a\nb"]) {
    it(`that could not be a directory, a record or a word on a command line is refused: ${JSON.stringify(name)}`, async () => {
      const named = (task_: string, slot: string) =>
        task({
          name: task_,
          description: "",
          outputs: { [slot]: out.file("x") },
          run: ({ outputs }) => writeFileSync(outputs[slot] ?? "", ""),
        }) as Task;
      for (const one of [named(name, "x"), named("good", name)]) {
        await expect(run(workspace({}), [one])).rejects.toMatchObject({
          code: "name-invalid",
          message: expect.stringContaining(`cannot be named "${name}"`),
          where: expect.stringMatching(/^ownership\.test\.ts:\d+$/),
        });
      }
      expect((await run(workspace({}), [named("Größe-1.0_b+c", "x")])).outcome).toBe("succeeded");
    });
  }
});

describe("a Taskfile", () => {
  const plain = (name: string, definition: Partial<Parameters<typeof task>[0]> = {}) =>
    task({ name, description: "", outputs: {}, run: () => {}, ...definition }) as Task;
  const twoPlaces = expect.stringMatching(/^ownership\.test\.ts:\d+(, | and )ownership\.test\.ts:\d+$/);

  it("with a dependency cycle is refused, with the cycle and every place", async () => {
    const needs: Record<string, Task> = {};
    const first = plain("first", { needs });
    const second = plain("second", { needs: { first } });
    needs.second = second;
    await expect(run(workspace({}), [second])).rejects.toMatchObject({
      code: "graph-cycle",
      message: expect.stringContaining("second → first → second"),
      where: twoPlaces,
    });
  });

  it("with a task for all variants that needs one for each is refused, with both places", async () => {
    const each = plain("each");
    const shared = plain("shared", { needs: { each }, variants: "shared" });
    await expect(run(workspace({}), [shared])).rejects.toMatchObject({
      code: "graph-variants",
      where: twoPlaces,
    });
  });

  for (const output of [out.artifact("../x"), out.artifact("/tmp/x"), out.file("../x"), out.directory(".")]) {
    it(`with an output that leaves its directory is refused: ${output.place} ${output.path}`, async () => {
      await expect(run(workspace({}), [plain("escaping", { outputs: { output } })])).rejects.toMatchObject({
        code: "output-outside",
        where: expect.stringMatching(/^ownership\.test\.ts:\d+$/),
      });
    });
  }

  it("with an output below another one is refused, with both places", async () => {
    const directory = plain("directory", { outputs: { all: out.artifactDirectory("build") } });
    const inside = plain("inside", { outputs: { one: out.artifact("build/deep/one") } });
    await expect(run(workspace({}), [directory, inside])).rejects.toMatchObject({
      code: "output-conflict",
      message: expect.stringContaining("build and build/deep/one"),
      where: twoPlaces,
    });
  });
});
