/** What grew, and which chain of tasks decided a build's time. */
import { expect, it } from "vitest";
import { criticalPath } from "../../src/report/critical-path.ts";
import { growthOf } from "../../src/report/growth.ts";
import type { SizeNode } from "../../src/report/index.ts";
import { reportData } from "./data.ts";

function node(name: string, after: number, children: readonly SizeNode[] = []): SizeNode {
  return { name, before: after, after, children };
}

it("a part whose one child grew is not named beside it", () => {
  const before = node("image", 30, [
    node("layer 1", 10, [node("a", 5), node("b", 5)]),
    node("layer 2", 20, [node("c", 20)]),
  ]);
  const now = node("image", 47, [
    node("layer 1", 15, [node("a", 10), node("b", 5)]),
    node("layer 3", 32, [node("c", 20), node("d", 12)]),
  ]);
  expect(growthOf(now, before)).toEqual([
    { path: "layer 3", after: 32, change: 32 },
    { path: "layer 2", after: 0, change: -20 },
    { path: "layer 1/a", after: 10, change: 5 },
  ]);
  expect(growthOf(now, now)).toEqual([]);
});

it("the critical path leads through the needs that ended last", () => {
  const { last, graph } = reportData();
  expect(last && criticalPath(last, graph)).toEqual(["fetch-iso", "fetch-tcz@dev", "rebuild-iso@dev"]);
  expect(last && criticalPath({ ...last, spans: [] }, graph)).toEqual([]);
});
