// The README's pictures, made from a report by the distribution's Chromium: node bin/pictures.mjs REPORT.html [DIRECTORY].
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** What each picture shows, as a selector of the report's page. */
const pictures = { "timeline.png": ".timeline", "treemap.png": "#map svg" };

const [report, directory = "docs/pictures"] = process.argv.slice(2);
const { stdout } = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" });
const executablePath = stdout.trim();
if (report === undefined || executablePath === "") {
  console.error(
    report === undefined
      ? "usage: node bin/pictures.mjs REPORT.html [DIRECTORY]"
      : "chromium, which draws the pictures, is not installed: npm run verify installs it",
  );
  process.exitCode = 2;
} else {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 900 }, colorScheme: "light" });
    await page.goto(pathToFileURL(path.resolve(report)).href);
    mkdirSync(directory, { recursive: true });
    for (const [name, selector] of Object.entries(pictures))
      await page
        .locator(selector)
        .first()
        .screenshot({ path: path.join(directory, name) });
  } finally {
    await browser.close();
  }
}
