/** The README's pictures: the script makes them of a report, and those that are committed are small. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { renderReport } from "../../src/report/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { reportData } from "./data.ts";

usesPrograms("chromium");

const checkout = path.resolve(import.meta.dirname, "../..");
const directory = mkdtempSync(path.join(tmpdir(), "pictures test "));
afterAll(() => rmSync(directory, { recursive: true }));

const names = ["timeline.png", "treemap.png"];

/** Width and height. Source: PNG specification, 11.2.2 (IHDR is the first chunk). */
function sizeOf(file: string): readonly [number, number] {
  const bytes = readFileSync(file);
  expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

it("are made of a report", async () => {
  const report = path.join(directory, "report.html");
  writeFileSync(report, await renderReport(reportData(), path.join(checkout, "src/report/page")));
  execFileSync(process.execPath, [path.join(checkout, "bin/pictures.mjs"), report, directory]);
  for (const name of names) {
    const [width, height] = sizeOf(path.join(directory, name));
    expect(width).toBeGreaterThan(800);
    expect(height).toBeGreaterThan(100);
  }
});

it("that the README shows are there, and small", () => {
  const readme = readFileSync(path.join(checkout, "README.md"), "utf8");
  for (const name of names) {
    expect(readme).toContain(`](docs/pictures/${name})`);
    expect(sizeOf(path.join(checkout, "docs/pictures", name))[0]).toBeGreaterThan(800);
    expect(statSync(path.join(checkout, "docs/pictures", name)).size).toBeLessThan(100_000);
  }
});
