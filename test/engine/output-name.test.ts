/** What an output is called may be anything that can be called by its name: UTF-8, line breaks and all. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { out, type Task, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

/** "café" as ISO 8859-1 has it. */
const latin = Buffer.from([0x63, 0x61, 0x66, 0xe9]);

function inDirectory(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}

function maker(name: Buffer): Task {
  return task({
    name: "maker",
    description: "",
    outputs: { tree: out.artifactDirectory("tree") },
    run: ({ outputs }) => writeFileSync(inDirectory(outputs.tree, name), "text"),
  }) as Task;
}

describe("a name in an output", () => {
  it.each(["line\nbreak", "ünïcode", "a replaced \ufffd character"])("may be %j", async (name) => {
    const root = workspace({});
    const target = maker(Buffer.from(name));
    await run(root, [target]);
    expect(readdirSync(path.join(root, "tree"))).toEqual([name]);
    expect((await run(root, [target])).outcomes).toEqual({ "maker@dev": "fresh" });
    rmSync(path.join(root, "tree"), { recursive: true });
    expect((await run(root, [target])).outcomes).toEqual({ "maker@dev": "restored" });
    expect(readdirSync(path.join(root, "tree"))).toEqual([name]);
  });

  it("that is not valid UTF-8 is refused, and what was made before stays", async () => {
    const root = workspace({});
    await run(root, [maker(Buffer.from("plain"))]);
    const { outcome, outcomes } = await run(root, [maker(latin)], { version: "2" });
    expect(outcome).toBe("failed");
    expect(outcomes["maker@dev"]).toContain("the name caf\ufffd in an output is not valid UTF-8");
    expect(readdirSync(path.join(root, "tree"))).toEqual(["plain"]);
    expect(readdirSync(path.join(root, ".buildcache/v1/tmp"))).toEqual([]);
  });

  it("that is not valid UTF-8, of a file that somebody put there, is never called fresh: the file goes", async () => {
    const root = workspace({});
    const target = maker(Buffer.from("plain"));
    await run(root, [target]);
    writeFileSync(inDirectory(path.join(root, "tree"), latin), "stray");
    const { events, outcomes } = await run(root, [target]);
    expect(outcomes).toEqual({ "maker@dev": "restored" });
    const reasons = events.flatMap((event) => (event.type === "task-restored" ? event.reasons : []));
    expect(reasons).toEqual([{ kind: "output-unexpected", path: "tree/caf\ufffd" }]);
    expect(readdirSync(path.join(root, "tree"))).toEqual(["plain"]);
    expect((await run(root, [target])).outcomes).toEqual({ "maker@dev": "fresh" });
  });
});
