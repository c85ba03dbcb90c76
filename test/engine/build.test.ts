/** What a user relies on when building: only what changed reruns, and nothing half-made is left. */
import { readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  describeReason,
  file,
  files,
  forecast,
  out,
  ParameterValues,
  param,
  State,
  task,
  taskfile,
} from "../../src/engine/index.ts";
import { code, run, workspace, write } from "./workshop.ts";

/** Upper-cases a text, then a second task appends to it. */
function pipeline() {
  const upper = task({
    name: "upper",
    description: "",
    inputs: { text: file("in/text") },
    outputs: { text: out.file("text") },
    run: ({ inputs, outputs }) =>
      writeFileSync(outputs.text, readFileSync(inputs.text, "utf8").toUpperCase()),
  });
  // In a task's own code everything may have another name than the one that users know.
  const suffix = param.text({ name: "the-suffix", description: "", value: "TEXT", default: "!" });
  const final = task({
    name: "final",
    description: "",
    needs: { from: upper },
    params: { suffix },
    outputs: { text: out.artifact(({ variant }) => `build/${variant}.txt`) },
    run: ({ needs, params, outputs }) =>
      writeFileSync(outputs.text, readFileSync(needs.from.text, "utf8") + params.suffix),
  });
  return { upper, final };
}

describe("a build", () => {
  it("runs what was never built, and nothing the second time", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    expect((await run(root, [final])).outcomes).toEqual({
      "upper@dev": "never built",
      "final@dev": "never built",
    });
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("HELLO!");
    expect((await run(root, [final])).outcomes).toEqual({ "upper@dev": "fresh", "final@dev": "fresh" });
  });

  it("names the file that changed, and reruns what depends on it", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    write(root, "in/text", "bye");
    expect((await run(root, [final])).outcomes).toEqual({
      "upper@dev": "in/text changed",
      "final@dev": "upper made different outputs",
    });
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("BYE!");
  });

  it("stops where a rerun made the same bytes", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    write(root, "in/text", "HELLO");
    expect((await run(root, [final])).outcomes).toEqual({
      "upper@dev": "in/text changed",
      "final@dev": "fresh",
    });
  });

  it("does not believe times: same size and same mtime, other bytes", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    const old = new Date(Date.now() - 60_000);
    utimesSync(path.join(root, "in/text"), old, old);
    await run(root, [final]);
    write(root, "in/text", "jello");
    utimesSync(path.join(root, "in/text"), old, old);
    expect((await run(root, [final])).outcomes["upper@dev"]).toBe("in/text changed");
  });

  it("brings back what was deleted or edited, without running anything", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    rmSync(path.join(root, "build/dev.txt"));
    expect((await run(root, [final])).outcomes["final@dev"]).toBe("restored");
    write(root, "build/dev.txt", "edited");
    const { outcomes, events } = await run(root, [final]);
    expect(outcomes["final@dev"]).toBe("restored");
    const reasons = events.flatMap((event) => ("reasons" in event ? event.reasons.map(describeReason) : []));
    expect(reasons).toEqual(["build/dev.txt was edited"]);
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("HELLO!");
  });

  it("restores an earlier result when a value or an edit is taken back", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    expect((await run(root, [final], { given: { "the-suffix": "?" } })).outcomes["final@dev"]).toBe(
      'the-suffix changed from "!" to "?"',
    );
    expect((await run(root, [final])).outcomes["final@dev"]).toBe("restored");
  });

  it("keeps variants apart: going there and back rebuilds nothing", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    await run(root, [final], { variant: "prod" });
    expect((await run(root, [final])).outcomes).toEqual({ "upper@dev": "fresh", "final@dev": "fresh" });
    expect((await run(root, [final], { variant: "prod" })).outcomes["final@prod"]).toBe("fresh");
  });

  it("reruns a task whose code changed", async () => {
    const root = workspace({ "in/text": "hello" });
    const { upper } = pipeline();
    await run(root, [upper]);
    expect((await run(root, [upper], { version: "2" })).outcomes["upper@dev"]).toBe("its code changed");
  });

  it("leaves the old output and no stamp when a task fails, and skips what depends on it", async () => {
    const root = workspace({ "in/text": "hello" });
    let broken = false;
    const first = task({
      name: "first",
      description: "",
      inputs: { text: file("in/text") },
      outputs: { text: out.artifact("build/first.txt") },
      run: ({ inputs, outputs }) => {
        writeFileSync(outputs.text, readFileSync(inputs.text));
        if (broken) throw new Error("broken");
      },
    });
    const second = task({
      name: "second",
      description: "",
      needs: { first },
      outputs: { text: out.file("text") },
      run: ({ outputs }) => writeFileSync(outputs.text, ""),
    });
    await run(root, [second]);
    broken = true;
    write(root, "in/text", "other");
    const failed = await run(root, [second]);
    expect(failed.outcome).toBe("failed");
    expect(failed.outcomes["first@dev"]).toContain("broken");
    expect(failed.outcomes["second@dev"]).toBe("skipped");
    expect(readFileSync(path.join(root, "build/first.txt"), "utf8")).toBe("hello");
    broken = false;
    expect((await run(root, [second])).outcomes["first@dev"]).toBe("in/text changed");
  });

  it("writes no stamp when an input changes during the run, and says which", async () => {
    const root = workspace({ "in/text": "hello" });
    const racing = task({
      name: "racing",
      description: "",
      inputs: { tree: files("in/**") },
      outputs: { text: out.file("text") },
      run: ({ outputs, inputs }) => {
        writeFileSync(outputs.text, readFileSync(path.join(inputs.tree.root, "in/text")));
        write(root, "in/text", "changed meanwhile");
      },
    });
    const { events } = await run(root, [racing]);
    expect(events.flatMap((event) => (event.type === "note" ? [event.message] : [])).join()).toContain(
      "in/text",
    );
    expect((await run(root, [racing])).outcomes["racing@dev"]).toBe("never built");
  });

  it("says the same in a forecast, and writes nothing for it", async () => {
    const root = workspace({ "in/text": "hello" });
    const { final } = pipeline();
    await run(root, [final]);
    write(root, "in/text", "bye");
    const before = readFileSync(path.join(root, ".buildcache/v1/stamps.log"));
    const values = new ParameterValues(new Map(), { root, env: {}, variant: "dev", note: () => {} });
    const forecasts = await forecast(
      {
        taskfile: taskfile({
          title: "",
          targets: [final],
          variants: { dev: { description: "", flags: [] } },
        }),
        state: new State(root),
        code: code(),
        toolHint: () => undefined,
        env: {},
      },
      { targets: [final], variant: "dev", values, force: new Set() },
    );
    expect(forecasts.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      "upper@dev run",
      "final@dev maybe",
    ]);
    expect(readFileSync(path.join(root, ".buildcache/v1/stamps.log"))).toEqual(before);
  });

  it("refuses two owners of one path, naming both places", async () => {
    const root = workspace({});
    const make = (name: string, where: Parameters<typeof out.artifact>[0]) =>
      task({ name, description: "", outputs: { x: out.artifact(where) }, run: () => {} });
    const dependent = [make("a", ({ variant }) => `build/${variant}`), make("b", "build/dev/x")];
    const conflict = await run(root, dependent).catch((error: unknown) => error);
    expect(conflict).toMatchObject({
      message: "a@dev and b@dev declare overlapping outputs: build/dev and build/dev/x",
      where: expect.stringMatching(/^build\.test\.ts:\d+ and build\.test\.ts:\d+$/),
    });
    await expect(run(root, dependent, { variant: "prod" })).resolves.toMatchObject({ outcome: "failed" });
  });

  it("refuses two owners in one Taskfile, also when only one of them is asked for", async () => {
    const root = workspace({});
    const make = (name: string, where: string) =>
      task({ name, description: "", outputs: { x: out.artifact(where) }, run: () => {} });
    for (const [others, said] of [
      [[make("b", "build/x")], /a and b both declare build\/x/],
      [[make("b", "build/x/y")], /a and b declare overlapping outputs/],
      [[make("a", "build/y")], /two tasks are named "a"/],
      [
        [
          task({
            name: "c",
            description: "",
            needs: { b: make("b", "build/x") },
            outputs: {},
            run: () => {},
          }),
        ],
        /a and b both declare build\/x/,
      ],
    ] as const) {
      await expect(run(root, [make("a", "build/x")], { others })).rejects.toThrow(said);
    }
  });
});
