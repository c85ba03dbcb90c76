/** A report's data, with names that would like to be markup. */
import type { ReportData, SizeNode } from "../../src/report/index.ts";

export const hostile = `</script><script>window.broken = true</script>"'><img src=x onerror="window.broken = true"> \u202egnp`;

function node(name: string, size: number, children: readonly SizeNode[] = []): SizeNode {
  const sum = children.reduce((all, child) => all + child.after, 0);
  return children.length === 0
    ? { name, before: size * 2, after: size, children }
    : { name, before: sum * 2, after: sum, children };
}

/** An image of `layers` × `directories` × `files` files. */
export function sizesOf(layers: number, directories: number, files: number): SizeNode {
  const many = (count: number, make: (index: number) => SizeNode) =>
    Array.from({ length: count }, (_, at) => make(at));
  const tree = many(layers, (layer) =>
    node(`layer ${layer + 1}`, 0, [
      ...many(directories, (directory) =>
        node(
          `usr/directory-${directory}`,
          0,
          many(files, (file) => node(`file-${layer}-${directory}-${file}.so`, 100 + file * 37)),
        ),
      ),
    ]),
  );
  return node("image.iso", 0, [...tree, node(hostile, 0, [node(`${hostile} inside`, 90_000)])]);
}

const tasks = [
  { id: "fetch-iso", needs: [] },
  { id: "fetch-tcz@dev", needs: ["fetch-iso"] },
  { id: "overlay@dev", needs: [] },
  { id: "rebuild-iso@dev", needs: ["fetch-iso", "fetch-tcz@dev", "overlay@dev"] },
];

export function reportData(sizes: SizeNode = sizesOf(3, 4, 5)): ReportData {
  const spans = [
    { name: "fetch-iso", category: "task", start: 0, end: 2 },
    { name: "overlay@dev", category: "task", start: 0, end: 1 },
    { name: "fetch-tcz@dev", category: "task", start: 2, end: 5 },
    { name: hostile, category: "process", start: 2, end: 3, task: "fetch-tcz@dev" },
    { name: "bash.tcz", category: "download", start: 2.5, end: 4, task: "fetch-tcz@dev" },
    { name: "rebuild-iso@dev", category: "task", start: 5, end: 6 },
  ];
  const run = {
    command: `task iso ${hostile}`,
    ended: "2026-01-02T03:04:05.000Z",
    outcome: "succeeded",
    tasks: tasks.map(({ id }, index) => ({
      ...{ task: id, verdict: "rebuilt", seconds: index + 0.5, savedSeconds: index === 0 ? 40 : 0 },
      reasons: [hostile],
    })),
    spans,
  };
  return {
    title: `Report of ${hostile}`,
    made: "2026-01-02T03:04:06.000Z",
    last: run,
    previous: { ...run, command: "task iso --prod" },
    graph: tasks.map(({ id, needs }) => ({
      ...{ id, needs, verdict: id === "overlay@dev" ? "run" : "fresh", lastSeconds: 3 },
      reasons: id === "overlay@dev" ? [`${hostile} changed`] : [],
      inputs: ["tree: overlay-src/"],
      outputs: ["build-files/image.iso"],
      parts: [["param epoch", "1700000000"] as const, ["input tree", "0123456789abcdef"] as const],
    })),
    image: {
      ...{ name: "image.iso", bytes: sizes.after, sizes },
      against: {
        name: "old.iso",
        sizes: { ...sizes, after: sizes.after - 500, children: sizes.children.slice(1) },
      },
      extensions: [
        { name: "bash.tcz", version: "5.2", size: 1000, licence: "GPL-3.0-or-later", neededBy: [] },
        { name: hostile, size: 2000, neededBy: ["bash.tcz"] },
      ],
      gems: [{ name: "facter", version: "4.3.0", size: 300, licence: "Apache-2.0", neededBy: [] }],
      replaced: [{ path: `etc/${hostile}`, layer: "layer 3", replaces: ["layer 1"] }],
    },
    bills: new Map([["image.cdx.json", '{"bomFormat":"CycloneDX"}']]),
  };
}
