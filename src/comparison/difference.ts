/** What may differ between two files, and how it is said. */
import { grouped } from "./grouping.ts";

/** Which of the two files. */
type Side = "a" | "b";

export interface Difference {
  /**
   * `field`: of an ISO's structure. `layers`: how many archives an initrd is made of. `layer`: one of them. `only`: a path that one
   * side has. `type`, `mode`, `owner`, `time`, `target`, `device`, `links`: of a path. `content`: of a file. `packing`: the same
   * inside, other bytes.
   */
  readonly kind:
    | "field"
    | "layers"
    | "layer"
    | "only"
    | "type"
    | "mode"
    | "owner"
    | "time"
    | "target"
    | "device"
    | "links"
    | "content"
    | "packing";
  /** The archives that it lies in, outermost first; none for the files themselves. */
  readonly within: readonly string[];
  /** Of a path of the archive, of a field, or of a layer; none for the file as a whole. */
  readonly name?: string;
  /** Absent where that side has nothing of the kind. */
  readonly a?: string;
  readonly b?: string;
  /** Number of the layer that each side's entry comes from, from 1. */
  readonly layers?: { readonly a?: number; readonly b?: number };
  /** Of text files: the changed lines with some around them, as `diff -u` has them. */
  readonly lines?: readonly string[];
}

/** Two values of which either may be absent. */
export function sides<T>(a: T | undefined, b: T | undefined): { readonly a?: T; readonly b?: T } {
  return { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
}

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
