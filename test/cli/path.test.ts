/** What a user relies on when naming a file: it is the one seen from where the command was given. */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask } from "./workshop.ts";

/** One task that copies the list it is given. */
function lists(): string {
  const root = demo();
  const engine = /from "([^"]*src\/engine\/index\.ts)"/.exec(
    readFileSync(path.join(root, "Taskfile.ts"), "utf8"),
  )?.[1];
  put(
    root,
    "Taskfile.ts",
    `import { copyFileSync } from "node:fs";
import { file, out, param, task, taskfile } from "${engine}";
const list = param.path({ name: "list", short: "l", env: "DEMO_LIST", value: "FILE", description: "", default: "lists/default" });
const copy = task({
  name: "copy", description: "", inputs: { list: file(list) }, outputs: { copy: out.artifact("build/copy") },
  run: ({ inputs, outputs }) => copyFileSync(inputs.list, outputs.copy),
});
export default taskfile({ title: "", targets: [copy], variants: { dev: { description: "", flags: [] } } });
`,
  );
  put(root, "lists/default", "default");
  put(root, "sub folder/mine", "mine");
  return root;
}

describe("a file named on the command line", () => {
  it("is relative to the current folder, and a default to the workspace", async () => {
    const root = lists();
    const sub = path.join(root, "sub folder");
    expect((await runTask(sub, ["copy"])).status).toBe(0);
    expect(readFileSync(path.join(root, "build/copy"), "utf8")).toBe("default");
    expect((await runTask(sub, ["copy", "-l", "mine"])).status).toBe(0);
    expect(readFileSync(path.join(root, "build/copy"), "utf8")).toBe("mine");
    expect((await runTask(root, ["copy"], { DEMO_LIST: "sub folder/mine" })).stderr).toContain("fresh");
  });

  it("is missed before anything runs, by flag and value", async () => {
    const root = lists();
    mkdirSync(path.join(root, "empty"));
    const { status, stderr } = await runTask(path.join(root, "empty"), ["copy", "--list=mine"]);
    expect(status).toBe(1);
    expect(stderr).toContain("error: the file --list empty/mine does not exist");
    expect(stderr).not.toContain("copy:");
    const folder = await runTask(root, ["copy", "--list=empty"]);
    expect(folder.status).toBe(1);
    expect(folder.stderr).toContain("error: --list empty is a folder, and a file is needed");
    expect(folder.stderr).toMatch(/hint: name a file/);
  });
});

describe("--force", () => {
  it("may be given for several tasks, and knows their names", async () => {
    const root = demo();
    await runTask(root, ["greet"]);
    const { stderr } = await runTask(root, ["greet", "--force", "name", "--force", "greet"]);
    expect(stderr).toMatch(/name: rebuilt, forced[\s\S]*greet: rebuilt, forced/);
    expect((await runTask(root, ["greet", "--force", "gret"])).stderr).toContain("did you mean greet?");
  });
});
