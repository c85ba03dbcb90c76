/** Arguments, lists, groups and names of several parts on the real command line. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask } from "./workshop.ts";

const tasks = `
import { writeFileSync } from "node:fs";
import { command, out, param, task } from "ENGINE";
const tags = param.list({ name: "tag", value: "TAG", env: "DEMO_TAGS", description: "tags", default: [] });
export const say = task({
  name: "db:say", description: "Say the arguments", group: "database",
  params: { args: param.arguments({ description: "what to say" }), tags },
  outputs: { text: out.artifact("build/said") },
  run: ({ params, outputs }) => writeFileSync(outputs.text, JSON.stringify([params.args, params.tags])),
});
export const ping = command({ name: "ping", description: "Answer", group: "network", params: {}, run: ({ print }) => print("pong") });
`;

function project(): string {
  const root = demo();
  const all = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
  const engine = /from "(.*engine\/index\.ts)"/.exec(all)?.[1] ?? "";
  put(root, "tasks/more.ts", tasks.replace("ENGINE", engine));
  const taskfile = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  put(
    root,
    "Taskfile.ts",
    taskfile
      .replace("targets: [name, greet, hello]", "targets: [say, name, greet, ping, hello]")
      .replace("export default", 'import { ping, say } from "./tasks/more.ts";\nexport default'),
  );
  return root;
}

const said = (root: string): unknown => JSON.parse(readFileSync(path.join(root, "build/said"), "utf8"));

describe("the arguments after --", () => {
  it("go to the named task as they are, options of the program included", async () => {
    const root = project();
    const first = await runTask(root, ["db:say", "--", "-v", "a b", "--", "--tag=x"]);
    expect(first, first.stderr).toMatchObject({ status: 0 });
    expect(said(root)).toEqual([["-v", "a b", "--", "--tag=x"], []]);
    const again = await runTask(root, ["db:say", "--", "-v", "a b", "--", "--tag=x"]);
    expect(again.stderr).toContain("nothing to do");
    const why = await runTask(root, ["why", "db:say", "--", "-v", "a b", "--", "--tag=x"]);
    expect(why.stdout).toBe("db:say: fresh\n");
    expect((await runTask(root, ["why", "db:say"])).stdout).toContain("the arguments after -- changed");
  });

  it("are refused by a task that takes none, and only end the options where no task is named", async () => {
    const root = project();
    const refused = await runTask(root, ["greet", "--", "x"]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("greet takes no arguments after `--`");
    expect(await runTask(root, ["--", "ping"])).toMatchObject({ status: 0, stdout: "pong\n" });
  });

  it("are named in the help of the task", async () => {
    const help = await runTask(project(), ["db:say", "--help"]);
    expect(help.stdout).toContain("usage: task db:say [options] [-- ARGUMENT...]");
  });
});

describe("completion of a name with parts", () => {
  it("fills in the rest of the word as each shell breaks it", async () => {
    const root = project();
    const asks = async (shell: string, ...words: string[]) =>
      (await runTask(root, ["completion", "answer", shell, "--", ...words])).stdout;
    expect(await asks("bash", "db", ":", "s")).toBe("words\nsay\tSay the arguments\n");
    expect(await asks("bash", "db", ":")).toBe("words\nsay\tSay the arguments\n");
    expect(await asks("zsh", "db:s")).toBe("words\ndb:say\tSay the arguments\n");
    expect(await asks("fish", "db:s")).toBe("words\ndb:say\tSay the arguments\n");
  });
});

describe("a list option", () => {
  it("may be repeated, and holds several elements in the environment", async () => {
    const root = project();
    await runTask(root, ["db:say", "--tag", "a", "--tag=b,c"]);
    expect(said(root)).toEqual([[], ["a", "b", "c"]]);
    await runTask(root, ["db:say"], { DEMO_TAGS: "x, y" });
    expect(said(root)).toEqual([[], ["x", "y"]]);
  });
});

describe("targets of a group", () => {
  it("stand under its heading in the menu, in list and in help", async () => {
    const root = project();
    const menu = (await runTask(root, [])).stdout;
    expect(menu).toMatch(
      /greet \(hi\) +- .*\n {2}hello +- .*\n\n database\n {2}db:say +- .*\n\n network\n {2}ping +- /,
    );
    const list = (await runTask(root, ["list"])).stdout;
    expect(list).toMatch(/hello +Say hello\n\ndatabase:\ndb:say +.*\n\nnetwork:\nping +Answer\n$/);
    const help = (await runTask(root, ["--help"])).stdout;
    expect(help).toMatch(/Targets: database:\n +db:say/);
    const json = JSON.parse((await runTask(root, ["list", "--json"])).stdout);
    expect(json).toContainEqual(expect.objectContaining({ name: "ping", group: "network" }));
  });
});
