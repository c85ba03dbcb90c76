/** One page about the last build and its image: times, graph, sizes, contents, bill of materials. */
import { spawn } from "node:child_process";
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { command, param } from "../src/engine/index.ts";
import { systemReason, UsageError, UserError } from "../src/errors/index.ts";
import { renderReport } from "../src/report/index.ts";
import { newestIso } from "./image/newest-iso.ts";
import { describeImage } from "./image/report-image.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { limitParams } from "./settings/limit-options.ts";
import { ofPackage } from "./settings/package.ts";

const open = param.switch({
  name: "open",
  description: "with report: open the page in the browser",
  default: false,
});

/** Where the page is written unless `--report` names a file; relative to the workspace. */
const usualFile = "build-files/report.html";

export const report = command({
  name: "report",
  takes: "[IMAGE]",
  offers: "files",
  description: "Write a page about the last build and its image, or about IMAGE",
  group: "look",
  params: { ...limitParams, open },
  takesAgainst: true,
  async run(context) {
    const { words, workspace, cwd, variant, value, print, against, reportFile, buildFacts } = context;
    const [named, ...more] = words;
    if (more.length > 0) {
      throw new UsageError("`report` takes at most one image", {
        code: "report-usage",
        hint: "usage: task report [IMAGE] [--against IMAGE] [--open]",
      });
    }
    const newest = await newestIso(workspace, variant).catch(() => undefined);
    const image = named === undefined ? newest : path.resolve(cwd, named);
    const earlier = image === undefined || named !== undefined ? undefined : await isoBefore(image);
    const other = against === undefined ? earlier : path.resolve(cwd, against);
    const described = image === undefined ? undefined : await describeImage(context, image, other);
    const { last, previous, graph } = await buildFacts([rebuildIso]);
    const text = await renderReport(
      {
        title: image === undefined ? "Build report" : `Report of ${path.basename(image)}`,
        made: new Date().toISOString(),
        ...(last === undefined ? {} : { last }),
        ...(previous === undefined ? {} : { previous }),
        graph,
        ...(described === undefined ? {} : { image: described.image }),
        bills: described?.bills ?? new Map(),
      },
      path.resolve(workspace, ofPackage("src/report/page")),
    );
    const file = reportFile ?? path.join(workspace, usualFile);
    if (reportFile === undefined) await mkdir(path.dirname(file), { recursive: true });
    await writeWhole(file, text);
    print(`${path.relative(cwd, file)}  ${(Buffer.byteLength(text) / 1e6).toFixed(1)} MB`);
    if (await value(open)) openInBrowser(file);
  },
});

/** Writes the page beside its place first. @throws UserError `report-unwritable` */
async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await writeFile(`${file}.partial`, text);
    await rename(`${file}.partial`, file);
  } catch (cause) {
    throw new UserError(`the report cannot be written: ${systemReason(cause)}`, {
      code: "report-unwritable",
      where: file,
      hint: "name a file in an existing, writable directory: --report FILE",
      cause,
    });
  }
}

/** The ISO of the same variant that was made before this one. */
async function isoBefore(image: string): Promise<string | undefined> {
  const directory = path.dirname(image);
  const [start] = /^[a-z]+_mk_[a-z]+-|^remaster-/.exec(path.basename(image)) ?? [""];
  const names = (await readdir(directory)).filter(
    (name) => name.endsWith(".iso") && name.startsWith(start ?? ""),
  );
  const made = await Promise.all(
    names.map(async (name) => ({
      file: path.join(directory, name),
      time: (await stat(path.join(directory, name))).mtimeMs,
    })),
  );
  const [before] = made.filter(({ file }) => file !== image).sort((a, b) => b.time - a.time);
  return before?.file;
}

/** By the desktop's own program. @throws UserError `tool-missing` where there is none */
function openInBrowser(file: string): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [file], { detached: true, stdio: "ignore" });
  child.on("error", (cause) => {
    throw new UserError(`${opener}, which opens pages, is not installed`, {
      code: "tool-missing",
      where: opener,
      hint: `open the page yourself: ${file}`,
      cause,
    });
  });
  child.unref();
}
