/** The drawn task graph: what a build would do with each task, and no edge that a longer path replaces. */
import { rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  dotText,
  type GraphNode,
  mermaidText,
  withoutTransitiveEdges,
} from "../../src/cli/commands/graph-drawing.ts";
import { taskId } from "../../src/engine/define/names.ts";
import { demo, put, runTask, snapshot } from "./workshop.ts";

function node(name: string, verdict: GraphNode["verdict"], needs: readonly string[] = [], seconds?: number) {
  const last = seconds === undefined ? {} : { lastSeconds: seconds };
  return {
    id: taskId(name, undefined),
    verdict,
    reasons: [],
    needs: needs.map((need) => taskId(need, undefined)),
    ...last,
  };
}

const nodes = [
  node("get", "fresh", [], 1.5),
  node("pack", "restore", ["get"], 2),
  node("edit", "run", ["get", "pack"], 20),
  node("join", "maybe", ["get", "pack", "edit"], 4),
  node("import", "unknown"),
];

function edges(text: string, arrow: string): readonly string[] {
  return text.split("\n").flatMap((line) => (line.includes(arrow) ? [line.trim()] : []));
}

it("loses each edge that a longer path replaces, and no connection", () => {
  const reduced = withoutTransitiveEdges(nodes).map(({ id, needs }) => [id, needs]);
  expect(reduced).toEqual([
    ["get", []],
    ["pack", ["get"]],
    ["edit", ["pack"]],
    ["join", ["edit"]],
    ["import", []],
  ]);
  const diamond = [
    node("a", "run"),
    node("b", "run", ["a"]),
    node("c", "run", ["a"]),
    node("d", "run", ["b", "c"]),
  ];
  expect(withoutTransitiveEdges(diamond)).toEqual(diamond);
});

it("tells each state by words, and by a shape or line that no other state has", async () => {
  const dot = dotText(nodes, "demo");
  const drawn = nodes.map(
    ({ id }) => new RegExp(`"${id}" \\[label="(.*)", (shape.*), fillcolor`).exec(dot) ?? [],
  );
  expect(drawn.map(([, label]) => label)).toEqual([
    "get\\nfresh\\nlast run 1.50 s",
    "pack\\nwould be restored\\nlast run 2.00 s",
    "edit\\nwould run\\nlast run 20.0 s",
    "join\\nwould maybe run\\nlast run 4.00 s",
    "import\\nunknown, an input is missing\\nnever ran",
  ]);
  expect(new Set(drawn.map(([, , shape]) => shape)).size).toBe(nodes.length);
  expect(dot).toContain("1 would run; 1 would maybe run; 1 unknown, an input is missing; 24.0 s of work");
  expect(edges(dot, " -> ")).toEqual([
    '"get" -> "pack";',
    '"pack" -> "edit";',
    '"edit" -> "join" [color="#7a3e00", penwidth=2];',
  ]);
});

it("has darker fills for more to do, so that a print in grey keeps the order", () => {
  const dot = dotText(nodes, "demo");
  const brightness = (id: string): number => {
    const [, red = "", green = "", blue = ""] =
      new RegExp(`"${id}" \\[.*fillcolor="#(..)(..)(..)"`).exec(dot) ?? [];
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((part) => Number.parseInt(part, 16));
    // Relative luminance without gamma, by the weights of ITU-R BT.709.
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  expect(brightness("get")).toBeGreaterThan(brightness("pack"));
  expect(brightness("join")).toBeGreaterThan(brightness("edit"));
  // Black text stays readable on the darkest.
  expect(brightness("edit")).toBeGreaterThan(160);
});

it("keeps reasons with quotes and backslashes in one string of the dot file", () => {
  const odd = { ...node("odd", "run"), reasons: [{ kind: "need-reruns", need: 'a"b\\n' }] as const };
  expect(dotText([odd], 'a "title"')).toContain('tooltip="depends on the outputs of a\\"b\\\\n"');
  expect(dotText([odd], 'a "title"')).toContain('label="a \\"title\\"\\n1 would run"');
});

it("is drawn the same way in Mermaid", () => {
  const text = mermaidText(nodes, "demo");
  expect(text).toContain('  t0("get<br/>fresh<br/>last run 1.50 s"):::fresh\n');
  expect(text).toContain('  t1[("pack<br/>would be restored<br/>last run 2.00 s")]:::restore\n  t0 --> t1\n');
  expect(edges(text, " --> ")).toEqual(["t0 --> t1", "t1 --> t2", "t2 --> t3"]);
  expect(text).toMatch(/classDef run fill:#f6b26b,.*stroke-width:3px/);
});

describe("task graph", () => {
  it("draws what -n tells, in dot and svg, and writes nothing", async () => {
    const root = demo();
    await runTask(root, ["greet", "-t", "hush"]);
    put(root, "in/script", "true # again\n");
    const before = snapshot(root);
    const svg = await runTask(root, ["graph", "greet", "-t", "hush", "--format", "svg"]);
    const dot = await runTask(root, ["graph", "greet", "-t", "hush"]);
    const json = await runTask(root, ["graph", "greet", "-t", "hush", "--format", "json"]);
    const forecast = await runTask(root, ["greet", "-t", "hush", "-n"]);
    expect(snapshot(root)).toEqual(before);
    expect(forecast.stdout).toMatch(/^name: fresh\ngreet: would run, /);
    const texts = [...svg.stdout.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text);
    expect(texts.slice(0, 2)).toEqual([
      "greet, dev",
      expect.stringMatching(/^1 fresh; 1 would run; \d.* of work when last run$/),
    ]);
    expect(texts.slice(2)).toEqual([
      "name",
      "fresh",
      expect.stringMatching(/^last run \d/),
      "greet",
      "would run",
      expect.stringMatching(/^last run \d/),
    ]);
    expect(svg.stdout).toContain("in/script changed");
    expect(dot.stdout).toMatch(/"greet@dev" \[label="greet\\nwould run\\nlast run /);
    expect(JSON.parse(json.stdout)).toMatchObject([
      { id: "name@dev", needs: [], verdict: "fresh", lastSeconds: expect.any(Number) },
      { id: "greet@dev", needs: ["name@dev"], verdict: "run", outputs: ["build/dev.txt"] },
    ]);
  });

  it("draws tasks whose inputs are missing as unknown, and what depends on them as perhaps run", async () => {
    const root = demo();
    rmSync(path.join(root, "in/name"));
    const dot = await runTask(root, ["graph"]);
    expect(dot).toMatchObject({ status: 0, stderr: "" });
    expect(dot.stdout).toContain("name\\nunknown, an input is missing\\nnever ran");
    expect(dot.stdout).toContain("greet\\nwould maybe run\\nnever ran");
  });
});
