/** The task graph: a drawing laid out by Graphviz, whose tasks lead to what is known of each. */
import type { ReportTask } from "./data.ts";
import { anchor, type Html, html, shortName, shownSeconds } from "./html.ts";

const stateWords: Readonly<Record<string, string>> = {
  fresh: "up to date",
  restore: "restored from the cache",
  run: "runs",
  maybe: "runs if what it needs changes",
  unknown: "cannot be decided",
};

export async function graphSection(graph: readonly ReportTask[]): Promise<Html> {
  if (graph.length === 0) return html`<p>There is no graph without a target.</p>`;
  return html`<p>Choose a task to see its inputs, outputs, fingerprint and what changed.</p>
${await drawing(graph)}
<div id="tasks">${graph.map(details)}</div>`;
}

/** A layout in inches, as Graphviz's format `plain` has it: y grows upwards. */
interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<
    number,
    { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  >;
  readonly edges: readonly (readonly (readonly [number, number])[])[];
}

const unit = 72;

async function drawing(graph: readonly ReportTask[]): Promise<Html> {
  const { width, height, nodes, edges } = await layOut(graph);
  const at = (x: number, y: number): string => `${Math.round(x * unit)},${Math.round((height - y) * unit)}`;
  const lines = edges.map((points) => {
    const [first = [0, 0] as const, ...rest] = points;
    return html`<path class="edge" d="M${at(...first)} C${rest.map((point) => at(...point)).join(" ")}"/>`;
  });
  const boxes = graph.map((task, index) => {
    const box = nodes.get(index);
    if (box === undefined) return html``;
    const [left, top] = [(box.x - box.width / 2) * unit, (height - box.y - box.height / 2) * unit];
    const words = stateWords[task.verdict] ?? task.verdict;
    const label = `${shortName(task.id)}: ${words}`;
    return html`<a class="node ${task.verdict}" href="#${anchor("task", task.id)}" aria-label="${label}"><title>${label}</title><rect x="${Math.round(left)}" y="${Math.round(top)}" width="${Math.round(box.width * unit)}" height="${Math.round(box.height * unit)}" rx="4"/><text x="${Math.round(box.x * unit)}" y="${Math.round((height - box.y) * unit) + 4}" text-anchor="middle">${shortName(task.id)}</text></a>`;
  });
  const size = `0 0 ${Math.ceil(width * unit)} ${Math.ceil(height * unit)}`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Task graph"><svg class="graph" viewBox="${size}" style="--wide:${Math.ceil(width * unit * 0.7)}px" role="group" aria-label="Task graph">${lines}${boxes}</svg></div>`;
}

async function layOut(graph: readonly ReportTask[]): Promise<Layout> {
  const { instance } = await import("@viz-js/viz");
  const numbers = new Map(graph.map(({ id }, index) => [id, index]));
  const lines = graph.flatMap(({ id, needs }, index) => [
    `n${index} [width=${(shortName(id).length * 0.095 + 0.3).toFixed(2)}]`,
    ...withoutLongWays(needs, graph).flatMap((need) => {
      const from = numbers.get(need);
      return from === undefined ? [] : [`n${from} -> n${index}`];
    }),
  ]);
  const dot = `digraph { rankdir=LR; nodesep=0.15; node [shape=box, height=0.36, fixedsize=true, label=""]; ${lines.join(";")} }`;
  const plain = (await instance()).renderString(dot, { format: "plain" });
  const nodes = new Map<number, { x: number; y: number; width: number; height: number }>();
  const edges: (readonly [number, number])[][] = [];
  let [wide, high] = [1, 1];
  for (const line of plain.split("\n")) {
    const words = line.split(" ");
    const number = (index: number): number => Number(words[index]);
    if (words[0] === "graph") [wide, high] = [number(2), number(3)];
    else if (words[0] === "node")
      nodes.set(Number(words[1]?.slice(1)), {
        x: number(2),
        y: number(3),
        width: number(4),
        height: number(5),
      });
    else if (words[0] === "edge")
      edges.push(
        Array.from(
          { length: number(3) },
          (_, index) => [number(4 + 2 * index), number(5 + 2 * index)] as const,
        ),
      );
  }
  return { width: wide, height: high, nodes, edges };
}

/** The needs that no other need has already. */
function withoutLongWays(needs: readonly string[], graph: readonly ReportTask[]): readonly string[] {
  const byId = new Map(graph.map((task) => [task.id, task]));
  const reached = new Set<string>();
  const visit = (id: string): void => {
    for (const need of byId.get(id)?.needs ?? []) {
      if (reached.has(need)) continue;
      reached.add(need);
      visit(need);
    }
  };
  for (const need of needs) visit(need);
  return needs.filter((need) => !reached.has(need));
}

function details(task: ReportTask): Html {
  const { id, verdict, reasons, lastSeconds, inputs, outputs, needs, parts } = task;
  const list = (title: string, items: readonly (Html | string)[]) =>
    items.length === 0
      ? html``
      : html`<h4>${title}</h4><ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
  return html`<details id="${anchor("task", id)}"><summary>${id}: ${stateWords[verdict] ?? verdict}${lastSeconds === undefined ? "" : `, last run ${shownSeconds(lastSeconds)}`}</summary>
${list("What changed", reasons)}
${list(
  "Needs",
  needs.map((need) => html`<a href="#${anchor("task", need)}">${shortName(need)}</a>`),
)}
${list("Inputs", inputs)}
${list("Outputs", outputs)}
${parts.length === 0 ? html`` : html`<h4>Fingerprint of the last run</h4><dl>${parts.map(([label, value]) => html`<dt>${label}</dt><dd><code>${value}</code></dd>`)}</dl>`}
</details>
`;
}
