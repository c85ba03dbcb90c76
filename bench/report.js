// The report of an image with ten thousand files: how long it takes to make and to paint, and how large it is.
import { execFileSync } from "node:child_process";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { measure } from "./harness/measurement.js";
import { checkout, emptyPlace, shell, taskProgram } from "./harness/place.js";
import { bytes, show } from "./harness/table.js";

const extensions = 50;
const filesPerExtension = 200;
/** How often the page is opened. */
const paints = 7;

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const directory = await emptyPlace("report");
  const iso = path.join(directory, "large.iso");
  await makeImage(directory, iso);
  const cwd = checkout;
  const written = path.join(checkout, "build-files/report.html");
  // The first one compiles.
  await shell({ cwd })`${process.execPath} ${taskProgram} report ${iso}`;
  const rows = await measure(
    [
      { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd },
      { name: "task report", command: [process.execPath, taskProgram, "report", iso], cwd },
    ],
    { runs },
  );
  const { size } = await stat(written);
  const times = await paintTimes(written);
  await show("report", {
    title: `the report of an image with ${extensions * filesPerExtension} files`,
    aim: "made in 2 s, first paint in 1 s, 3 MB",
    reference: "node -e 0",
    rows,
    facts: [
      `size of the page: ${bytes(size)}`,
      `first contentful paint in Chromium: ${times.map((time) => `${Math.round(time)} ms`).join(", ")}`,
    ],
  });
  await rm(directory, { recursive: true });
}

/**
 * Milliseconds from opening the page to its first contentful paint, in a new window each time.
 * @param {string} file Absolute path.
 */
async function paintTimes(file) {
  const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  /** @type {number[]} */
  const times = [];
  try {
    for (let at = 0; at < paints; at += 1) {
      const opened = await browser.newPage();
      await opened.goto(pathToFileURL(file).href);
      const entry = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime';
      times.push(Number(await (await opened.waitForFunction(entry)).jsonValue()));
      await opened.close();
    }
  } finally {
    await browser.close();
  }
  return times.sort((a, b) => a - b);
}

/**
 * An ISO whose initrd has extensions with many small files.
 * @param {string} directory Absolute path.
 * @param {string} iso Absolute path.
 */
async function makeImage(directory, iso) {
  const root = path.join(directory, "iso");
  const image = path.join(directory, "image");
  const optional = path.join(image, "tmp/builtin/optional");
  const extension = path.join(directory, "extension");
  const $ = shell({ cwd: directory });
  await mkdir(path.join(root, "boot"), { recursive: true });
  await mkdir(optional, { recursive: true });
  /** @type {string[]} */
  const names = [];
  for (let at = 0; at < extensions; at += 1) {
    const name = `extension-${at}.tcz`;
    names.push(name);
    await mkdir(path.join(extension, `usr/local/lib/part-${at}`), { recursive: true });
    for (let file = 0; file < filesPerExtension; file += 1)
      await writeFile(
        path.join(extension, `usr/local/lib/part-${at}/library-${at}-${file}.so`),
        `${at} ${file}\n`.repeat(20 + file),
      );
    await $`mksquashfs ${extension} ${path.join(optional, name)} -noappend -all-root -no-progress -quiet`;
    await rm(extension, { recursive: true });
  }
  await writeFile(path.join(image, "tmp/builtin/onboot.lst"), `${names.join("\n")}\n`);
  await shell({
    cwd: image,
  })`find . | cpio -o -H newc --quiet | gzip -1 > ${path.join(root, "boot/core.gz")}`;
  await writeFile(path.join(root, "boot/vmlinuz"), "a kernel");
  await $`xorriso -as mkisofs -quiet -R -o ${iso} ${root}`;
}
