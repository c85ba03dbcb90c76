/** What a commit changes, and what it does not: most of an image has nothing to do with it. */
import { copyFile, readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { undated } from "../../tasks/settings/undated.ts";
import { readImage } from "./image.ts";
import {
  commandEnvironment,
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  type TaskResult,
  type Workspace,
} from "./workspace.ts";

/** Names of the tasks that a run ran, in byte order. */
function rebuilt({ stderr }: TaskResult): readonly string[] {
  return [...stderr.matchAll(/^✓ (\S+): rebuilt/gm)].map(([, name = ""]) => name).sort();
}

const iso = ["iso", "--source", "sample"];
const carriesTheVersion = ["iso-template", "overlay", "rebuild-iso"];

describe("a commit", () => {
  let workspace: Workspace;
  let copy: Workspace;
  let directory = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    await workspace.build([...iso, "bundle"]);
    directory = await makeDirectory("commit");
    copy = await copyWorkspace(workspace, path.join(directory, "a clone"));
    await copy.build([...iso, "bundle"]);
  });

  afterAll(() => removeDirectory(directory));

  async function git(...args: readonly string[]): Promise<string> {
    const env = { ...commandEnvironment(), GIT_COMMITTER_DATE: "@1700000000 +0000" };
    const author = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"];
    return (await copy.$({ env })`git ${author} ${args}`).stdout.trim();
  }

  async function timesIn(file: string, name: string): Promise<ReadonlyMap<string, number>> {
    const image = await readImage(copy.$, file, path.join(directory, name));
    return new Map([...image.tree].map(([at, node]) => [at, node.mtime]));
  }

  it("without any change makes again only what carries the version and its time", async () => {
    await git("commit", "-q", "--allow-empty", "-m", "nothing");
    const result = await copy.build(iso);
    expect(rebuilt(result), result.stderr).toEqual(carriesTheVersion);
    const times = await timesIn(copy.path(result.stdout.split("  ")[0] ?? ""), "after a commit");
    expect(times.get("tmp/mk-version.yaml")).toBe(1_700_000_000);
    expect(times.get("usr/local/bin/rz_mk_init.rb")).toBe(1_700_000_000);
    expect(times.get("opt/gems/gem.list")).toBe(undated);
    expect(times.get("tmp/builtin/onboot.lst")).toBe(undated);
    const bundle = await copy.build(["bundle", "--source", "sample"]);
    expect(rebuilt(bundle), bundle.stderr).toEqual(["bundle", "overlay-tarball"]);
  });

  it("and a time that is asked for are one to what was fetched, and to keys", async () => {
    const result = await copy.build([...iso, "--source-date-epoch", "0"]);
    expect(rebuilt(result), result.stderr).toEqual(carriesTheVersion);
    const times = await timesIn(copy.path(result.stdout.split("  ")[0] ?? ""), "at 0");
    expect(times.get("tmp/mk-version.yaml")).toBe(0);
    expect(times.get("opt/gems/gem.list")).toBe(undated);
    const refused = await copy.task([...iso, "--source-date-epoch", "yesterday"]);
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toMatch(/"yesterday" is not a time.*\n.*where: --source-date-epoch\n/);
    const env = commandEnvironment({ SOURCE_DATE_EPOCH: "10000000000" });
    const tooLate = await copy.task(iso, { env });
    expect(tooLate).toMatchObject({ status: 2 });
    expect(tooLate.stderr).toMatch(/"10000000000" is not a time.*\n.*where: SOURCE_DATE_EPOCH\n/);
  });

  it("is not missed in a project without git: saving or touching files changes no time", async () => {
    await rm(copy.path(".git"), { recursive: true });
    const first = await copy.build(iso);
    expect(first.stderr.match(/note: .*1980-01-01/g)).toHaveLength(1);
    const [name = ""] = first.stdout.split("  ");
    const digest = await sha256(copy.path(name));
    const list = copy.path("lists/gem.list");
    await utimes(list, 2_000_000_000, 2_000_000_000);
    await writeFile(copy.path("overlay-src/etc/.inittab.swp"), "an editor's");
    const again = await copy.build(iso);
    expect(rebuilt(again), again.stderr).toEqual([]);
    expect(await sha256(copy.path(name))).toBe(digest);

    const script = copy.path("overlay-src/usr/local/bin/rz_mk_init.rb");
    await writeFile(script, `${await readFile(script, "utf8")}# edited\n`);
    expect(rebuilt(await copy.build(iso))).toEqual(["overlay", "rebuild-iso"]);
  });

  it("is not needed where the image's files are in another directory, and there is no overlay-src", async () => {
    const { $ } = copy;
    await $`mv ${copy.path("overlay-src")} ${path.join(directory, "their files")}`;
    await copyFile(copy.path("lists/gem.list"), path.join(directory, "their files/opt/note"));
    const result = await copy.build([...iso, "--overlay", path.join(directory, "their files")]);
    const times = await timesIn(copy.path(result.stdout.split("  ")[0] ?? ""), "their files read");
    expect(times.get("opt/note")).toBe(undated);
  });
});
