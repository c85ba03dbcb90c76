/** The report of a real build: written by the build itself or afterwards, about this image, and in no half. */
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { openWorkspace, version, type Workspace } from "./workspace.ts";

describe("the report of a dev ISO", () => {
  let workspace: Workspace;
  const iso = `build-files/rz_mk_dev-image.${version}.iso`;
  const page = (name: string) => readFileSync(workspace.path(name), "utf8");

  beforeAll(async () => {
    workspace = await openWorkspace();
    await workspace.build(["iso", "--source", "sample", "--force=rebuild-iso", "--report", "a report.html"]);
  }, 600_000);

  it("is written after the build, with its times and reasons", () => {
    const text = page("a report.html");
    expect(text).toContain("task iso --source sample --force=rebuild-iso");
    expect(text).toMatch(/class="bar task critical" href="#task-rebuild_2d_iso_40_dev"/);
    expect(text).toContain("forced");
    expect(existsSync(workspace.path("a report.html.partial"))).toBe(false);
  });

  it("has the image's parts, to the files of extensions, and its sizes add up to the ISO's", () => {
    const [, json = "[]"] =
      /<script type="application\/json" id="sizes">(.*?)<\/script>/s.exec(page("a report.html")) ?? [];
    type Node = readonly [name: string, before: number, after: number, children?: readonly Node[]];
    const root = JSON.parse(json) as Node;
    const find = (node: Node, name: string): Node | undefined =>
      node[0] === name ? node : node[3]?.map((child) => find(child, name)).find((one) => one !== undefined);
    const bash = find(root, "bash.tcz");
    expect(bash === undefined ? undefined : find(bash, "usr")).toBeDefined();
    expect(bash?.[1]).toBeGreaterThan(bash?.[2] ?? 0);
    const bytes = readFileSync(workspace.path(iso)).length;
    expect(Math.abs(root[2] - bytes)).toBeLessThan(bytes / 1000);
  });

  it("names of each extension what needs it, and files that replace Core's", () => {
    const text = page("a report.html");
    expect(text).toMatch(
      /<th scope="row">gcc_libs\.tcz<\/th><td>[^<]*<\/td><td>[^<]*<\/td><td>[^<]*<\/td><td>lshw\.tcz<\/td>/,
    );
    expect(text).toMatch(/<th scope="row">opt\/bootsync\.sh<\/th><td>layer \d+<\/td><td>layer 1<\/td>/);
  });

  it("is written of any image, and compared with another one", async () => {
    const run = await workspace.build(["report", iso, "--against", iso, "--source", "sample"]);
    expect(run.stdout).toMatch(/^build-files\/report\.html {2}\d+\.\d MB\n$/);
    expect(page("build-files/report.html")).toContain("All parts are as large as in");
  });

  it.each([
    [["report", "one.iso", "two.iso"], 2, /at most one image.*\[report-usage\]/],
    [["report", "missing.iso"], 1, /\[unreadable-file\]/],
    [
      ["iso", "--source", "sample", "--report", "no such directory/r.html"],
      1,
      /--report .* cannot be written.*\[report-unwritable\]/,
    ],
  ])("%j is refused", async (words, status, message) => {
    const run = await workspace.task(words);
    expect(run.stderr).toMatch(message);
    expect(run.status).toBe(status);
  });
});
