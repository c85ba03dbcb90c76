/** The times of what was fetched: upstream's, pinned with it. */
import { readFile, utimes } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fetchAll, useWorkshop } from "./workshop.ts";

const shop = useWorkshop();

async function timesOf(task: string): Promise<Readonly<Record<string, number>>> {
  return JSON.parse(await readFile(shop.workspace.path(`.buildcache/v1/out/${task}/times.json`), "utf8"));
}

/** Gives a file of the mirror a time; its `Last-Modified` is that. */
async function date(name: string, seconds: number): Promise<void> {
  await utimes(path.join(shop.directory, "mirror root", name), seconds, seconds);
}

describe("the time of what was fetched", () => {
  it("is upstream's, and stays as the lock has it when upstream gives the same bytes another one", async () => {
    await date("4.x/x86/tcz/bash.tcz", 1_111_111_111);
    await date("4.x/x86/tcz/util-linux.tcz", 1_222_222_222);
    await date("gems/gems/daemons-1.1.9.gem", 1_333_333_333);
    await shop.workspace.build(fetchAll);
    const extensions = await timesOf("dev/fetch-tcz");
    expect(extensions).toMatchObject({
      "builtin/optional/bash.tcz": 1_111_111_111,
      "builtin/optional/bash.tcz.md5.txt": 1_111_111_111,
      "builtin/optional/bash.tcz.dep": 1_111_111_111,
      "util-linux.tcz": 1_222_222_222,
    });
    expect(Object.keys(extensions)).toContain("mirror/4.x/x86/tcz/glib2.tcz");
    const gems = await timesOf("shared/fetch-gems");
    expect(gems).toMatchObject({ "daemons-1.1.9.gem": 1_333_333_333 });

    await date("4.x/x86/tcz/bash.tcz", 1_444_444_444);
    await date("gems/gems/daemons-1.1.9.gem", 1_444_444_444);
    await shop.emptyCache();
    await shop.workspace.build(fetchAll);
    expect(await timesOf("dev/fetch-tcz")).toEqual(extensions);
    expect(await timesOf("shared/fetch-gems")).toEqual(gems);
  });

  it("is none where the mirror is a directory, whose files have been copied at some time", async () => {
    const source = path.join(shop.directory, "mirror root");
    await shop.workspace.build(["fetch-tcz", "--source", source]);
    expect(await timesOf("dev/fetch-tcz")).toEqual({});
  });
});
