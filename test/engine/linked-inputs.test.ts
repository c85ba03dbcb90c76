/** A task whose input has a symlink runs again when the link's target changes, in a build and in a watch. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type BoundTask, file, files, out, type Task, type TaskId, task } from "../../src/engine/index.ts";
import { coverageOf } from "../../src/engine/watch/coverage.ts";
import { run, workspace, write } from "./workshop.ts";

/** Reads all that its input matches, links followed. */
function reader(links?: "follow" | "keep", patterns: string | readonly string[] = "**"): Task {
  return task({
    name: "reader",
    description: "",
    inputs: { all: files(patterns, { root: "src", ...(links === undefined ? {} : { links }) }) },
    outputs: { text: out.artifact("build/text") },
    run: ({ inputs, outputs }) => {
      const read = (name: string): string => {
        try {
          return readFileSync(path.join(inputs.all.root, name), "utf8");
        } catch {
          return "";
        }
      };
      writeFileSync(outputs.text, inputs.all.paths.map(read).join());
    },
  }) as Task;
}

const outcomeOf = async (root: ReturnType<typeof workspace>, one: Task) =>
  (await run(root, [one])).outcomes["reader@dev"];

describe("a link among an input's files", () => {
  it("counts with the file behind it, by way of other links, and outside of the workspace", async () => {
    const outside = workspace({ far: "far" });
    for (const [target, changed] of [
      ["../lib/near", "lib/near"],
      ["../lib/hop", "lib/near"],
      [path.join(outside, "far"), path.join(outside, "far")],
    ] as const) {
      const root = workspace({ "src/a": "a", "lib/near": "near" });
      symlinkSync("near", path.join(root, "lib/hop"));
      symlinkSync(target, path.join(root, "src/link"));
      expect(await outcomeOf(root, reader())).toBe("never built");
      expect(await outcomeOf(root, reader())).toBe("fresh");
      writeFileSync(path.resolve(root, changed), "changed");
      expect(await outcomeOf(root, reader())).toBe(`${changed} changed`);
      expect(readFileSync(path.join(root, "build/text"), "utf8")).toBe("a,changed");
      expect(await outcomeOf(root, reader())).toBe("fresh");
    }
  });

  it("counts with all of the directory behind it, whatever is added there or removed", async () => {
    const root = workspace({ "src/a": "a", "lib/deep/one": "1", "other/two": "2" });
    symlinkSync("../lib", path.join(root, "src/lib"));
    symlinkSync("../other", path.join(root, "lib/other"));
    await outcomeOf(root, reader());
    expect(await outcomeOf(root, reader())).toBe("fresh");
    write(root, "lib/deep/one", "changed");
    expect(await outcomeOf(root, reader())).toBe("lib/deep/one changed");
    write(root, "other/new", "new");
    expect(await outcomeOf(root, reader())).toBe("other/new added");
    rmSync(path.join(root, "lib/deep/one"));
    expect(await outcomeOf(root, reader())).toBe("lib/deep/one removed");
    expect(await outcomeOf(root, reader())).toBe("fresh");
  });

  it("is followed as the system does, where its target goes up from behind another link", async () => {
    for (const isNamed of [true, false]) {
      const root = workspace({ "a/text": "a", "b/text": "b", "a/deep/x": "", "b/deep/x": "", text: "none" });
      mkdirSync(path.join(root, "src"));
      symlinkSync("a/deep", path.join(root, "via"));
      symlinkSync("../via/../text", path.join(root, "src/link"));
      const one = isNamed
        ? (task({
            name: "reader",
            description: "",
            inputs: { one: file("src/link") },
            outputs: { text: out.artifact("build/text") },
            run: ({ inputs, outputs }) => writeFileSync(outputs.text, readFileSync(inputs.one)),
          }) as Task)
        : reader();
      expect(await outcomeOf(root, one)).toBe("never built");
      write(root, "text", "still none");
      expect(await outcomeOf(root, one)).toBe("fresh");
      write(root, "a/text", "changed");
      expect(await outcomeOf(root, one)).toMatch(/changed$/);
      rmSync(path.join(root, "via"));
      symlinkSync("b/deep", path.join(root, "via"));
      expect(await outcomeOf(root, one)).not.toBe("fresh");
      expect(readFileSync(path.join(root, "build/text"), "utf8")).toBe("b");
      rmSync(path.join(root, "b/text"));
      symlinkSync("../src/link", path.join(root, "b/text"));
      const circle = await outcomeOf(root, one);
      expect(circle).toMatch(isNamed ? /failed: .*does not exist/ : /changed|removed/);
    }
  });

  it("that leads nowhere counts by its text, until something comes there", async () => {
    const root = workspace({ "src/a": "a" });
    symlinkSync("../lib/new", path.join(root, "src/link"));
    symlinkSync("circle", path.join(root, "src/circle"));
    await outcomeOf(root, reader());
    expect(await outcomeOf(root, reader())).toBe("fresh");
    write(root, "lib/new", "here");
    expect(await outcomeOf(root, reader())).toBe("lib/new added");
  });

  it("that changes while the task runs leaves no result that is believed", async () => {
    const root = workspace({ "src/a": "a", "lib/near": "near" });
    symlinkSync("../lib/near", path.join(root, "src/link"));
    const meddling = task({
      name: "reader",
      description: "",
      inputs: { all: files("**", { root: "src" }) },
      outputs: { text: out.file("text") },
      run: ({ outputs }) => {
        writeFileSync(outputs.text, "");
        write(root, "lib/near", String(Math.random()));
      },
    }) as Task;
    expect((await run(root, [meddling])).notes.join()).toContain("lib/near changed while reader ran");
  });

  it("counts by where it points alone with links: keep, and may then lead anywhere", async () => {
    const root = workspace({ "src/a": "a", "lib/near": "near" });
    symlinkSync("../lib/near", path.join(root, "src/link"));
    symlinkSync("/usr", path.join(root, "src/usr"));
    symlinkSync(".", path.join(root, "src/self"));
    await outcomeOf(root, reader("keep"));
    write(root, "lib/near", "changed");
    expect(await outcomeOf(root, reader("keep"))).toBe("fresh");
    rmSync(path.join(root, "src/link"));
    symlinkSync("../lib/other", path.join(root, "src/link"));
    expect(await outcomeOf(root, reader("keep"))).toBe("src/link changed");
  });

  for (const [target, why] of [
    [".", "a directory that contains it"],
    ["..", "a directory that contains it"],
    ["/usr/share", "a directory outside the workspace"],
    ["../.buildcache/v1", "into the cache"],
    ["/dev/null", "a device"],
  ] as const) {
    it(`is refused with what to do where it leads to ${target}: ${why}`, async () => {
      const root = workspace({ "src/a": "a" });
      mkdirSync(path.join(root, ".buildcache/v1"), { recursive: true });
      symlinkSync(target, path.join(root, "src/link"));
      const { events } = await run(root, [reader()]);
      expect(events.find(({ type }) => type === "task-failed")).toMatchObject({
        error: {
          code: "input-link",
          message: expect.stringContaining(why),
          where: path.join(root, "src/link"),
          hint: expect.stringContaining('links: "keep"'),
        },
      });
    });
  }

  it("has a watch look at what is behind it", async () => {
    const root = workspace({ "src/a": "a", "lib/near": "near", "other/deep/two": "2", "elsewhere/x": "" });
    symlinkSync("../lib/near", path.join(root, "src/link"));
    symlinkSync("../other", path.join(root, "src/directory"));
    const bound = {
      id: "reader" as TaskId,
      task: reader(),
      named: new Map(),
      outputs: [],
    } as unknown as BoundTask;
    const coverage = await coverageOf(new Map([[bound.id, bound]]), root, []);
    for (const [name, concerned] of [
      ["lib/near", true],
      ["other/deep/two", true],
      ["other/new", true],
      ["elsewhere/x", false],
    ] as const)
      expect(coverage.concernedBy(path.join(root, name)).size > 0, name).toBe(concerned);
    expect([...coverage.directories()]).toEqual(
      expect.arrayContaining(["lib", "other", "other/deep", "src"].map((name) => path.join(root, name))),
    );
  });
});
