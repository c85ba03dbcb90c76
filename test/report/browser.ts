/** The distribution's Chromium, without a window, for pages of tests. */
import { execFileSync } from "node:child_process";
import { type Browser, chromium } from "playwright-core";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("chromium");

/** The caller closes it. As root, as in containers, Chromium has no sandbox of its own. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  return await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
