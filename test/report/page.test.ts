/** The report in a browser: each view, by mouse and by keyboard, light and dark, narrow, printed, without scripts, with hostile names. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderReport } from "../../src/report/index.ts";
import { openBrowser } from "./browser.ts";
import { hostile, reportData } from "./data.ts";

const sources = path.resolve(import.meta.dirname, "../../src/report/page");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const directory = mkdtempSync(path.join(tmpdir(), "report test "));
const file = path.join(directory, "a report.html");
const problems: string[] = [];
let browser: Browser;

beforeAll(async () => {
  writeFileSync(file, await renderReport(reportData(), sources));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true });
});

/** Opens the page from the disk; what it complains about, and what it asks for, is collected. */
async function opened(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  problems.length = 0;
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) problems.push(`asked for ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return page;
}

/** What axe-core finds. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** Pixels by which the page is wider than the window. */
const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

describe("the page", () => {
  it("shows the five views, and asks nobody for anything", async () => {
    const page = await opened();
    const heads = await page.locator("h2").allTextContents();
    expect(heads).toEqual(["Timeline", "Graph", "Image", "Contents", "Bill of materials"]);
    expect(await page.locator(".timeline .bar").count()).toBe(12);
    expect(await page.locator(".graph .node").count()).toBe(4);
    expect(await page.locator("#map .part").count()).toBeGreaterThan(10);
    expect(problems).toEqual([]);
  });

  it("marks the critical path, and has the time before and what was saved", async () => {
    const page = await opened();
    const critical = await page.locator(".timeline").first().locator(".critical").allTextContents();
    expect(critical.map((text) => text.split(",")[0])).toEqual(["fetch-iso", "fetch-tcz", "rebuild-iso"]);
    const row = page.locator("#timeline table tbody tr").first();
    expect(await row.locator("th, td").allTextContents()).toEqual([
      ...[
        "fetch-iso",
        "rebuilt",
        "0.50 s",
        "rebuilt, 0.50 s",
        "40.0 s",
        expect.stringContaining("img src=x"),
      ],
    ]);
  });

  it("shows of a task that is chosen its inputs, outputs, fingerprint and what changed", async () => {
    const page = await opened();
    await page.locator('.graph a[href="#task-overlay_40_dev"]').click();
    const details = page.locator("#task-overlay_40_dev");
    expect(await details.getAttribute("open")).toBe("");
    const text = await details.textContent();
    for (const part of ["tree: overlay-src/", "build-files/image.iso", "param epoch", "changed"])
      expect(text).toContain(part);
  });

  it("goes into a part of the image and back, before and after compression, and finds files", async () => {
    const page = await opened();
    const parts = () => page.locator('#map .part[tabindex="0"]');
    const before = await parts().count();
    await parts()
      .filter({ hasText: "layer 2" })
      .first()
      .click({ position: { x: 5, y: 5 } });
    expect(await page.locator("#crumbs button").count()).toBe(2);
    expect(await parts().first().getAttribute("aria-label")).toMatch(/^usr\/directory-/);
    await page.locator("#crumbs button").first().click();
    expect(await parts().count()).toBe(before);
    const root = page.locator("#crumbs button").first();
    const packed = await root.textContent();
    await page.locator("#compressed").uncheck();
    expect(await root.textContent()).not.toBe(packed);
    await page.locator("#search").fill("file-0-1-");
    expect(await page.locator("#matches").textContent()).toBe("5 matches");
    expect(await page.locator("#map .part.found").count()).toBeGreaterThan(0);
    expect(await page.locator("#map .part.other").count()).toBeGreaterThan(0);
  });

  it("is used by the keyboard alone", async () => {
    const page = await opened();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement?.textContent")).toBe("Skip to the content");
    await page.locator(".graph a").first().focus();
    await page.keyboard.press("Enter");
    // The browser goes to the place first, and tells the page afterwards.
    await expect
      .poll(() => page.evaluate("document.activeElement?.closest('details')?.id"))
      .toBe("task-fetch_2d_iso");
    await page.locator('#map .part[tabindex="0"]').first().focus();
    const first = await page.evaluate('document.activeElement?.getAttribute("aria-label")');
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate('document.activeElement?.getAttribute("aria-label")')).not.toBe(first);
    await page.keyboard.press("Enter");
    expect(await page.locator("#crumbs button").count()).toBe(2);
    await page.keyboard.press("Escape");
    expect(await page.locator("#crumbs button").count()).toBe(1);
  });

  it.each(["light", "dark"] as const)("has no serious fault of accessibility: %s", async (colorScheme) => {
    const page = await opened({ colorScheme, bypassCSP: true });
    await page.addScriptTag({ content: axe });
    const found = await page.evaluate<readonly Violation[]>("axe.run().then(({ violations }) => violations)");
    const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(serious.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(ground).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(15, 20, 25)");
  });

  it("has its tables without scripts", async () => {
    const page = await opened({ javaScriptEnabled: false });
    expect(await page.locator("#treemap").isVisible()).toBe(false);
    expect(await page.locator("table").count()).toBeGreaterThanOrEqual(6);
    expect(await page.locator("#contents").textContent()).toContain("GPL-3.0-or-later");
    await page.locator("#task-fetch_2d_iso summary").click();
    expect(await page.locator("#task-fetch_2d_iso dl").isVisible()).toBe(true);
  });

  it("fits into 320 pixels, and onto paper", async () => {
    const page = await opened({ viewport: { width: 320, height: 700 } });
    expect(await overflow(page)).toBe(0);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("nav").first().isVisible()).toBe(false);
    expect((await page.pdf()).subarray(0, 5).toString("latin1")).toBe("%PDF-");
  });

  it("shows hostile names as text: nothing of them runs, or turns the text around", async () => {
    const page = await opened();
    await page.locator('#map .part[tabindex="0"]').filter({ hasText: "script" }).first().focus();
    await page.keyboard.press("Enter");
    expect(await page.evaluate('"broken" in window')).toBe(false);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(2);
    const text = (await page.locator("body").textContent()) ?? "";
    expect(text).toContain("\\u202egnp");
    expect(text).not.toContain("\u202e");
    expect(readFileSync(file, "utf8")).not.toContain(hostile);
    expect(problems).toEqual([]);
  });

  it("gives the bill of materials as a file", async () => {
    const page = await opened({ acceptDownloads: true });
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#bills a").click()]);
    expect(download.suggestedFilename()).toBe("image.cdx.json");
    expect(readFileSync(await download.path(), "utf8")).toBe('{"bomFormat":"CycloneDX"}');
  });
});
