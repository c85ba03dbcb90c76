// Shows what was measured, and keeps it as JSON. It judges nothing: no time is right or wrong here.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import path from "node:path";
import { checkout } from "./place.js";

/**
 * @typedef {object} Table
 * @property {string} title What is done, in words.
 * @property {string} aim As the project set it.
 * @property {string} [reference] Name of the row that the ratios are to.
 * @property {readonly import("./measurement.js").Measured[]} rows
 * @property {readonly string[]} [facts] Lines below the table.
 */

/**
 * Prints the table and writes bench/results/NAME.json.
 * @param {string} name
 * @param {Table} table
 */
export async function show(name, { title, aim, reference, rows, facts = [] }) {
  const base = rows.find((row) => row.name === reference)?.times?.median;
  /** @param {import("./measurement.js").Measured} row */
  const ratio = ({ times }) => (times === undefined || base === undefined ? undefined : times.median / base);
  const cells = rows.map((row) => [
    row.name,
    ...(row.times === undefined
      ? ["-", "-", "-", "-", ""]
      : [
          seconds(row.times.median),
          seconds(row.times.min),
          seconds(row.times.max),
          seconds(row.times.cpu),
          `${row.times.all.length}`,
        ]),
    ratioText(ratio(row)),
    row.note ?? "",
  ]);
  const head = ["", "median", "min", "max", "cpu", "runs", base === undefined ? "" : "ratio", ""];
  const lines = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...lines.map((cell) => (cell[column] ?? "").length)));
  process.stdout.write(`\n${name}: ${title}\n`);
  for (const cell of lines) {
    const text = cell.map((word, column) =>
      column === 0 || column === head.length - 1
        ? word.padEnd(widths[column] ?? 0)
        : word.padStart(widths[column] ?? 0),
    );
    process.stdout.write(`  ${text.join("  ").trimEnd()}\n`);
  }
  for (const fact of facts) process.stdout.write(`  ${fact}\n`);
  process.stdout.write(`  aim: ${aim}\n`);

  const kept = rows.map((row) => ({
    name: row.name,
    ...(row.times === undefined ? {} : { ...row.times, all: row.times.all.map((time) => round(time)) }),
    ...(ratio(row) === undefined ? {} : { ratio: round(ratio(row) ?? 0) }),
    ...(row.note === undefined ? {} : { note: row.note }),
  }));
  const result = { name, title, aim, unit: "seconds", reference, machine: machine(), rows: kept, facts };
  const directory = path.join(checkout, "bench", "results");
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

function machine() {
  const [first] = cpus();
  return {
    processors: `${cpus().length} × ${first?.model ?? "unknown"}`,
    memory: bytes(totalmem()),
    system: `${process.platform} ${release()}`,
    node: process.version,
    NODE_EXTRA_CA_CERTS: "unset while measuring",
  };
}

/** @param {number} value */
export function seconds(value) {
  return value < 1
    ? `${(value * 1000).toFixed(value < 0.0995 ? 1 : 0)} ms`
    : `${value.toFixed(value < 99.5 ? 2 : 0)} s`;
}

/** @param {number} count */
export function bytes(count) {
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(2)} GB`;
}

/** @param {number | undefined} value */
function ratioText(value) {
  if (value === undefined) return "";
  return value < 0.1 ? `1/${(1 / value).toFixed(value < 0.01 ? 0 : 1)}` : value.toFixed(value < 99.5 ? 2 : 0);
}

/** @param {number} value */
function round(value) {
  return Number(value.toPrecision(4));
}
