/** Where the bytes of an ISO are: of one that is named, or of the newest that this project built. It builds none. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { command } from "../src/engine/index.ts";
import { UsageError, UserError } from "../src/errors/index.ts";
import { printPath } from "../src/formats/index.ts";
import { newestIso } from "./image/newest-iso.ts";
import { measureIso, type SizeReport, type SizeRow } from "./image/size-report.ts";
import { limitParams, limitsGiven } from "./settings/limit-options.ts";

/** Of each list so many are shown, the largest, in the list's order; --json has all. */
const mostRows = 15;

export const size = command({
  name: "size",
  takes: "[ISO]",
  offers: "files",
  description: "Show the size of an ISO's layers, extensions and directories (default: the newest ISO)",
  group: "look",
  params: limitParams,
  needsProject: (words) => words.length === 0,
  async run({ words, cwd, workspace, variant, note, show, value }) {
    const [named] = words;
    if (words.length > 1)
      throw new UsageError("`size` takes at most one ISO", {
        code: "size-usage",
        hint: "usage: task size [ISO]",
      });
    const limits = await limitsGiven(value);
    const iso = named === undefined ? await newestIso(workspace, variant) : path.resolve(cwd, named);
    if (named === undefined) note(`measuring ${path.relative(workspace, iso)}, the newest`);
    const status = await stat(iso).catch((cause: unknown) => {
      throw new UserError("the ISO cannot be read", {
        code: "unreadable-file",
        hint: "check the name and the permissions of the file",
        where: iso,
        cause,
      });
    });
    if (!status.isFile()) {
      throw new UserError(`the ISO is ${status.isDirectory() ? "a directory" : "not a regular file"}`, {
        code: "not-a-file",
        hint: "name an ISO, or none for the newest in build-files/",
        where: iso,
      });
    }
    const scratch = await mkdtemp(path.join(tmpdir(), "razor-mk-size-"));
    try {
      const report = await measureIso(iso, status.size, scratch, limits);
      show(report, describe(report));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
});

function describe({ iso, beside, layers, extensions, directories }: SizeReport): readonly string[] {
  const rest = { name: "structure and gaps", files: 0, before: iso.rest, after: iso.rest };
  const named = layers.map(({ largest, ...row }) => ({
    ...row,
    name: largest === undefined ? row.name : `${row.name}, with ${path.posix.basename(largest)}`,
  }));
  return [
    ...table("the initrd, by layer", named),
    ...table("of it extensions", extensions),
    ...table("of it directories", directories),
    ...table("beside the initrd", [...beside, rest]),
    `the ISO: ${number(iso.bytes)} bytes`,
  ];
}

function table(title: string, rows: readonly SizeRow[]): readonly string[] {
  if (rows.length === 0) return [];
  const printed = rows.map((row) => ({ ...row, name: printPath(row.name) }));
  const most = new Set([...printed].sort((one, other) => other.after - one.after).slice(0, mostRows));
  const shown = printed.filter((row) => most.has(row));
  const others = printed.filter((row) => !most.has(row));
  const lines = [
    ...shown,
    ...(others.length === 0
      ? []
      : [sum(others.length === 1 ? "1 other" : `${others.length} others`, others)]),
  ];
  const all = [...lines, sum("together", rows)];
  const width = Math.max(title.length, ...all.map(({ name }) => name.length));
  const line = (name: string, ...cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(14)).join("")}`;
  return [
    line(title, "files", "before", "after", "ratio"),
    ...all.map(({ name, files, before, after }) =>
      line(name, number(files), number(before), number(after), ratio(before, after)),
    ),
    "",
  ];
}

function sum(name: string, rows: readonly SizeRow[]): SizeRow {
  const total = (key: "files" | "before" | "after") => rows.reduce((all, row) => all + row[key], 0);
  return { name, files: total("files"), before: total("before"), after: total("after") };
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function ratio(before: number, after: number): string {
  return before === 0 ? "" : `${((100 * after) / before).toFixed(1)} %`;
}
