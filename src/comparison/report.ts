/** Differences as lines for people. */
import type { Difference, Side } from "./difference.ts";
import { grouped } from "./grouping.ts";

const words: Readonly<Record<Difference["kind"], string>> = {
  field: "",
  layers: "layers",
  layer: "",
  only: "",
  type: "type",
  mode: "mode",
  owner: "owner",
  time: "time",
  target: "link to",
  device: "device",
  links: "same file as",
  content: "content",
  packing: "same content, packed differently",
};

/** The differences as lines for people, those of one archive together, many of one reason in one line. `names` are what the two sides are called. */
export function describeDifferences(
  differences: readonly Difference[],
  names: Readonly<Record<Side, string>>,
): readonly string[] {
  const lines: string[] = [];
  let heading: string | undefined;
  for (const row of grouped(differences)) {
    const place = row.within.join(" / ");
    if (place !== heading && place !== "") lines.push(`in ${place}:`);
    heading = place;
    const indent = place === "" ? "" : "  ";
    if ("summary" in row) {
      lines.push(`${indent}${row.summary}`);
      continue;
    }
    lines.push(`${indent}${describe(row, names)}`);
    for (const line of row.lines ?? []) lines.push(`${indent}    ${line}`);
  }
  return lines;
}

function describe(difference: Difference, names: Readonly<Record<Side, string>>): string {
  const { kind, name, a, b } = difference;
  const layers = layersOf(difference);
  if (a === undefined || b === undefined) {
    const side = a === undefined ? "b" : "a";
    const what = difference[side];
    return `${name ?? words[kind]}${layers}: only in ${names[side]}${what === "" || what === undefined ? "" : ` (${what})`}`;
  }
  const parts = [name === undefined ? "" : `${name}${layers}`, words[kind]].filter((part) => part !== "");
  if (kind === "packing") return `${[...parts, `${a} → ${b}`].join(": ")}`;
  return `${parts.join(": ")}: ${shown(kind, a)} → ${shown(kind, b)}`;
}

function shown(kind: Difference["kind"], text: string): string {
  return kind === "field" ? JSON.stringify(text) : text;
}

function layersOf({ layers }: Difference): string {
  if (layers === undefined) return "";
  const { a, b } = layers;
  if (a === b || a === undefined || b === undefined) return ` (layer ${a ?? b})`;
  return ` (layers ${a} and ${b})`;
}
