/** Several images in one build: what they share is made once, and nothing of one is found in another. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AbsolutePath,
  type BuildEvent,
  build,
  type Combination,
  combine,
  describeReason,
  out,
  ParameterValues,
  param,
  removeProducts,
  Secret,
  State,
  type Task,
  task,
  taskfile,
  variantAxis,
} from "../../src/engine/index.ts";
import { code, run, workspace } from "./workshop.ts";

const layout = param.choice({
  name: "layout",
  description: "",
  choices: ["layered", "single"],
  default: "layered",
});
const firmware = param.text({ name: "firmware", description: "", default: "bios" });
const word = param.secret({ name: "word", description: "", default: undefined });

/** fetch (shared) ← payload (per variant) ← template (firmware) and packed (layout) ← image. */
function pipeline() {
  const runs: string[] = [];
  const fetch = task({
    name: "fetch",
    description: "",
    variants: "shared",
    outputs: { text: out.file("text") },
    run: ({ outputs }) => {
      runs.push("fetch");
      writeFileSync(outputs.text, "fetched");
    },
  });
  const payload = task({
    name: "payload",
    description: "",
    needs: { fetch },
    outputs: { text: out.file("text") },
    run: ({ needs, outputs, variant }) => {
      runs.push(`payload ${variant}`);
      writeFileSync(outputs.text, `${readFileSync(needs.fetch.text, "utf8")} ${variant}`);
    },
  });
  const packed = task({
    name: "packed",
    description: "",
    needs: { payload },
    params: { layout },
    outputs: { text: out.file("text") },
    run: ({ needs, outputs, params, variant }) => {
      runs.push(`packed ${variant} ${params.layout}`);
      writeFileSync(outputs.text, `${readFileSync(needs.payload.text, "utf8")} ${params.layout}`);
    },
  });
  const image = task({
    name: "image",
    description: "",
    needs: { packed },
    params: { firmware },
    outputs: { iso: out.artifact(({ variant }) => `build/${variant}.iso`) },
    run: ({ needs, outputs, params, variant }) => {
      runs.push(`image ${variant} ${params.firmware}`);
      writeFileSync(outputs.iso, `${readFileSync(needs.packed.text, "utf8")} ${params.firmware}`);
    },
  }) as Task;
  return { image, runs };
}

function combinations(
  root: string,
  targets: readonly Task[],
  axes: Record<string, readonly string[]>,
  given: Record<string, string> = {},
): readonly Combination[] {
  return combine(new Map(Object.entries(axes)), 100).map((choices) => {
    const options = new Map(choices);
    const variant = options.get(variantAxis) ?? "dev";
    options.delete(variantAxis);
    const all = new Map([...Object.entries(given), ...options]);
    return {
      targets,
      variant,
      choices,
      values: new ParameterValues(all, { root, env: {}, variant, note: () => {} }),
    };
  });
}

async function runMatrix(root: AbsolutePath, matrix: readonly Combination[]) {
  const [first] = matrix;
  if (first === undefined) throw new Error("no combination");
  const outcomes: Record<string, string> = {};
  const onEvent = (event: BuildEvent): void => {
    if (event.type === "task-done") outcomes[event.task] = event.reasons.map(describeReason).join("; ");
    if (event.type === "task-fresh") outcomes[event.task] = "fresh";
    if (event.type === "task-restored") outcomes[event.task] = "restored";
  };
  const result = await build(around(root, first.targets), {
    targets: first.targets,
    variant: first.variant,
    values: first.values,
    matrix,
    force: new Set(),
    keepGoing: false,
    command: "test",
    signal: new AbortController().signal,
    onEvent,
  });
  return { ...result, outcomes };
}

function around(root: AbsolutePath, targets: readonly Task[]) {
  const variants = { dev: { description: "", flags: [] }, prod: { description: "", flags: [] } };
  return {
    taskfile: taskfile({ title: "", targets, variants }),
    state: new State(root),
    code: code(),
    toolHint: () => undefined,
    env: {},
  };
}

describe("a matrix", () => {
  const axes = { variant: ["dev", "prod"], layout: ["layered", "single"], firmware: ["bios", "both"] };

  it("runs each step once for all images for which it is the same", async () => {
    const root = workspace({});
    const { image, runs } = pipeline();
    const { outcome, graph } = await runMatrix(root, combinations(root, [image], axes));
    expect(outcome).toBe("succeeded");
    expect(runs.filter((one) => one === "fetch")).toHaveLength(1);
    expect(runs.filter((one) => one.startsWith("payload"))).toHaveLength(2);
    expect(runs.filter((one) => one.startsWith("packed"))).toHaveLength(4);
    expect(runs.filter((one) => one.startsWith("image"))).toHaveLength(8);
    // What is the same for all has the name and the place that it has outside of a matrix.
    expect([...graph.keys()].filter((id) => !id.includes("~"))).toEqual([
      "fetch",
      "payload@dev",
      "payload@prod",
    ]);
    expect([...graph.keys()]).toContain("packed@dev~layout-single");
  });

  it("puts each image into a place of its own, made of its own parts", async () => {
    const root = workspace({});
    const { image } = pipeline();
    await runMatrix(root, combinations(root, [image], axes));
    for (const variant of axes.variant)
      for (const layout of axes.layout)
        for (const firmware of axes.firmware) {
          const place = `build/layout-${layout}/firmware-${firmware}/${variant}.iso`;
          expect(readFileSync(path.join(root, place), "utf8")).toBe(
            `fetched ${variant} ${layout} ${firmware}`,
          );
        }
    expect(existsSync(path.join(root, "build/dev.iso"))).toBe(false);
  });

  it("leaves images of several variants where single builds put them, and these find everything fresh", async () => {
    const root = workspace({});
    const { image } = pipeline();
    await runMatrix(root, combinations(root, [image], { variant: ["dev", "prod"] }));
    const { outcomes } = await run(root, [image], { variant: "prod" });
    expect(new Set(Object.values(outcomes))).toEqual(new Set(["fresh"]));
  });

  it("shares results with single builds, in both directions", async () => {
    const root = workspace({});
    const { image, runs } = pipeline();
    await run(root, [image], { given: { layout: "single" } });
    const before = runs.length;
    const matrix = () => combinations(root, [image], { layout: ["layered", "single"] });
    const { outcomes } = await runMatrix(root, matrix());
    expect(outcomes["packed@dev~layout-single"]).toBe("restored");
    expect(outcomes["image@dev~layout-single"]).toBe("restored");
    expect(runs.slice(before)).toEqual(["packed dev layered", "image dev bios"]);
    expect((await run(root, [image], { given: { layout: "layered" } })).outcomes["image@dev"]).toBe(
      "restored",
    );
    const again = await runMatrix(root, matrix());
    expect(new Set(Object.values(again.outcomes))).toEqual(new Set(["fresh"]));
  });

  it("tells values apart whose names are alike in paths, and keeps every image in the workspace", async () => {
    const root = workspace({});
    const { image } = pipeline();
    const values = ["a/b", "a-b", "../../x", "x".repeat(300), `${"x".repeat(299)}y`];
    const { graph } = await runMatrix(root, combinations(root, [image], { firmware: values }));
    const images = [...graph.values()].filter((bound) => bound.task === image);
    const places = images.map(({ outputs }) => outputs[0]?.path ?? "");
    expect(new Set(places).size).toBe(values.length);
    for (const [index, place] of places.entries()) {
      expect(place.startsWith(`${root}/build/`)).toBe(true);
      expect(readFileSync(place, "utf8")).toBe(`fetched dev layered ${values[index]}`);
    }
  });

  it("counts two secrets as different values, although both are shown alike", async () => {
    const root = workspace({});
    const secretive = task({
      name: "secretive",
      description: "",
      params: { word },
      outputs: { text: out.artifact("build/text", { private: true }) },
      run: ({ outputs, params }) => writeFileSync(outputs.text, params.word?.reveal() ?? ""),
    }) as Task;
    const one = combinations(root, [secretive], { firmware: ["bios"] }, { word: "one" });
    const other = combinations(root, [secretive], { firmware: ["both"] }, { word: "other" });
    const { graph } = await runMatrix(root, [...one, ...other]);
    const texts = [...graph.values()].map(({ outputs }) => readFileSync(outputs[0]?.path ?? "", "utf8"));
    expect(texts).toEqual(["one", "other"]);
    expect(String(new Secret("one"))).toBe(String(new Secret("other")));
  });

  it("is removed by clean, with all its images", async () => {
    const root = workspace({ "build/mine": "" });
    const { image } = pipeline();
    await runMatrix(root, combinations(root, [image], axes));
    await removeProducts(around(root, [image]), { all: false }, "test");
    for (const layout of axes.layout)
      expect(existsSync(path.join(root, `build/layout-${layout}/firmware-bios/dev.iso`))).toBe(false);
    expect(existsSync(path.join(root, "build/mine"))).toBe(true);
  });
});

describe("the combinations of axes", () => {
  it("vary the last axis first, and are limited", () => {
    const axes = new Map([
      ["a", ["1", "2"]],
      ["b", ["x", "y"]],
    ]);
    const texts = combine(axes, 4).map((choices) => choices.map(([, value]) => value).join(""));
    expect(texts).toEqual(["1x", "1y", "2x", "2y"]);
    expect(() => combine(axes, 3)).toThrow("4 combinations");
  });
});
