/**
 * The task graph as a drawing, in the languages of Graphviz and Mermaid. Words, shape and line show the state, so that a print
 * without colours has it too. It only renders.
 */
import type { Forecast } from "../../engine/index.ts";
import { nameOf, reasonLine } from "../output/plain-reporter.ts";
import { formatSeconds } from "../terminal/style.ts";
import { verdictTexts } from "./forecast-text.ts";

export interface GraphNode extends Forecast {
  /** The tasks that it needs, all of which are nodes. */
  readonly needs: readonly string[];
}

type Verdict = Forecast["verdict"];

interface Look {
  readonly fill: string;
  readonly line: string;
  /** Attributes of Graphviz. */
  readonly shape: string;
  /** The brackets of Mermaid's shape, and its style of the line. */
  readonly brackets: readonly [string, string];
  readonly stroke: string;
}

/** Lighter fills for less to do: the order is kept in grey. */
const looks: Readonly<Record<Verdict, Look>> = {
  fresh: {
    fill: "#ffffff",
    line: "#5f6b76",
    shape: 'shape=box, style="rounded,filled"',
    brackets: ["(", ")"],
    stroke: "stroke-width:1px",
  },
  restore: {
    fill: "#dcebf7",
    line: "#1f5f8b",
    shape: "shape=cylinder, style=filled",
    brackets: ["[(", ")]"],
    stroke: "stroke-width:1px",
  },
  run: {
    fill: "#f6b26b",
    line: "#7a3e00",
    shape: "shape=box, style=filled, penwidth=2.5",
    brackets: ["[", "]"],
    stroke: "stroke-width:3px",
  },
  maybe: {
    fill: "#fdefd5",
    line: "#7a3e00",
    shape: 'shape=box, style="filled,dashed"',
    brackets: ["[", "]"],
    stroke: "stroke-dasharray:6 4",
  },
  unknown: {
    fill: "#eeeeee",
    line: "#333333",
    shape: 'shape=hexagon, style="filled,dotted"',
    brackets: ["{{", "}}"],
    stroke: "stroke-dasharray:2 3",
  },
};

/** A file of Graphviz. `title` stands above the graph. */
export function dotText(nodes: readonly GraphNode[], title: string): string {
  const verdicts = new Map(nodes.map(({ id, verdict }) => [id as string, verdict]));
  const lines = withoutTransitiveEdges(nodes).flatMap((node) => {
    const { fill, line, shape } = looks[node.verdict];
    const tooltip = quoted(node.reasons.length === 0 ? verdictTexts[node.verdict] : reasonLine(node.reasons));
    // A plain label: its lines are centred, whatever font the viewer takes in place of the one that was measured.
    const label = quoted([nameOf(node.id), ...facts(node)].join("\n"));
    return [
      `  ${quoted(node.id)} [label=${label}, ${shape}, fillcolor="${fill}", color="${line}", tooltip=${tooltip}];`,
      ...node.needs.map((need) => {
        const made = verdicts.get(need);
        const edge = made === "fresh" || made === "restore" ? "" : ` [color="${looks.run.line}", penwidth=2]`;
        return `  ${quoted(need)} -> ${quoted(node.id)}${edge};`;
      }),
    ];
  });
  return [
    "digraph tasks {",
    `  graph [rankdir=LR, label=${quoted(`${title}\n${summary(nodes)}`)}, labelloc=t, fontname=Helvetica, fontsize=16, nodesep=0.3];`,
    '  node [fontname=Helvetica, fontsize=12, margin="0.2,0.1"];',
    '  edge [color="#8a949e", arrowsize=0.7];',
    ...lines,
    "}\n",
  ].join("\n");
}

/** A flowchart of Mermaid. */
export function mermaidText(nodes: readonly GraphNode[], title: string): string {
  const names = new Map(nodes.map(({ id }, index) => [id as string, `t${index}`]));
  const used = new Set(nodes.map(({ verdict }) => verdict));
  return [
    "---",
    `title: ${JSON.stringify(`${title}: ${summary(nodes)}`)}`,
    "---",
    "graph LR",
    ...withoutTransitiveEdges(nodes).flatMap((node) => {
      const [open, close] = looks[node.verdict].brackets;
      const label = [nameOf(node.id), ...facts(node)].join("<br/>");
      return [
        `  ${names.get(node.id)}${open}"${label}"${close}:::${node.verdict}`,
        ...node.needs.map((need) => `  ${names.get(need)} --> ${names.get(node.id)}`),
      ];
    }),
    ...[...used].map((verdict) => {
      const { fill, line, stroke } = looks[verdict];
      return `  classDef ${verdict} fill:${fill},stroke:${line},color:#000000,${stroke}`;
    }),
    "",
  ].join("\n");
}

/** The graph without each edge that a longer path replaces: what it connects depends on each other all the same. */
export function withoutTransitiveEdges<T extends { readonly id: string; readonly needs: readonly string[] }>(
  nodes: readonly T[],
): readonly T[] {
  const needsOf = new Map(nodes.map(({ id, needs }) => [id, needs]));
  const known = new Map<string, ReadonlySet<string>>();
  const allNeedsOf = (id: string): ReadonlySet<string> => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const direct = needsOf.get(id) ?? [];
    const all = new Set(direct.flatMap((need) => [need, ...allNeedsOf(need)]));
    known.set(id, all);
    return all;
  };
  return nodes.map((node) => ({
    ...node,
    needs: node.needs.filter((need) => !node.needs.some((other) => allNeedsOf(other).has(need))),
  }));
}

function facts({ verdict, lastSeconds }: GraphNode): readonly string[] {
  const last = lastSeconds === undefined ? "never ran" : `last run ${formatSeconds(lastSeconds)}`;
  return [verdictTexts[verdict], last];
}

/** How many tasks there are of each verdict, and the time that those to be run took last. */
function summary(nodes: readonly GraphNode[]): string {
  const verdicts = Object.keys(looks).filter((name): name is Verdict => name in looks);
  const counts = verdicts.flatMap((verdict) => {
    const count = nodes.filter((node) => node.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdictTexts[verdict]}`];
  });
  const seconds = nodes
    .filter(({ verdict }) => verdict === "run" || verdict === "maybe")
    .reduce((sum, { lastSeconds = 0 }) => sum + lastSeconds, 0);
  return [...counts, ...(seconds > 0 ? [`${formatSeconds(seconds)} of work when last run`] : [])].join("; ");
}

/** A string of Graphviz's language, in which a backslash starts an escape (graphviz.org, "escString"). */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
