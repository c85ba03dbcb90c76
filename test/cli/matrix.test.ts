/** `task matrix` as users run it: the table, JSON, the Taskfile's axes, and what is refused. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { sha256 } from "../engine/forgery.ts";
import { demo, put, runTask } from "./workshop.ts";

const over = ["--over", "variant=dev,prod", "--over", "greeting=Hello,Bye"];

it("builds all combinations and lists each with size, time, place and sha256", async () => {
  const root = demo();
  const { status, stdout, stderr } = await runTask(root, ["matrix", "hi", ...over]);
  expect(stderr).toContain("name@dev: rebuilt");
  expect(stderr).toMatch(/4 of 4 combinations: 6 rebuilt in /);
  expect(status).toBe(0);
  const [head = "", ...lines] = stdout.trimEnd().split("\n");
  expect(head.split(/ {2,}/)).toEqual(["variant", "greeting", "size", "time", "ran", "file", "sha256"]);
  expect(lines).toHaveLength(4);
  const rows = lines.map((line) => line.split(/ {2,}/));
  expect(rows.map(([variant, greeting]) => `${variant} ${greeting}`)).toEqual([
    "dev Hello",
    "dev Bye",
    "prod Hello",
    "prod Bye",
  ]);
  for (const [, greeting = "", size, , ran, file = "", digest] of rows) {
    const text = readFileSync(path.join(root, file), "utf8");
    expect(text).toBe(`${greeting} World\n`);
    expect(size).toBe(`${text.length} B`);
    expect(ran).toBe("here");
    expect(digest).toBe(sha256(text));
  }
  expect(new Set(rows.map((row) => row[5])).size).toBe(4);
});

it("says the same as JSON, before the build's end, and what came from where", async () => {
  const root = demo();
  await runTask(root, ["hi", "--prod", "--greeting", "Bye"]);
  const { status, stdout } = await runTask(root, ["matrix", "hi", ...over, "--json"]);
  expect(status).toBe(0);
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const rows = events.filter(({ type }) => type === "combination");
  expect(rows.map(({ choices, ran }) => [choices, ran])).toEqual([
    [{ variant: "dev", greeting: "Hello" }, "here"],
    [{ variant: "dev", greeting: "Bye" }, "here"],
    [{ variant: "prod", greeting: "Hello" }, "here"],
    [{ variant: "prod", greeting: "Bye" }, "local cache"],
  ]);
  expect(rows[3].seconds).toBe(0);
  expect(rows[0].artifacts).toMatchObject([{ place: "workspace", path: "build/greeting-Hello/dev.txt" }]);
  expect(events.at(-1).type).toBe("build-finished");
});

it("takes the axes of the Taskfile where the command line names none", async () => {
  const root = demo();
  const text = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  put(root, "Taskfile.ts", text.replace("variantEnv:", 'matrix: { variant: ["dev", "debug"] }, variantEnv:'));
  const { stdout } = await runTask(root, ["matrix", "hi", "--greeting", "Ho"]);
  expect(stdout).toMatch(/^dev .* build\/dev\.txt /m);
  expect(stdout).toMatch(/^debug .* build\/debug\.txt /m);
  put(root, "Taskfile.ts", text.replace("variantEnv:", 'matrix: { variant: "dev" }, variantEnv:'));
  const wrong = await runTask(root, ["matrix", "hi"]);
  expect(wrong.stderr).toContain('the matrix has the text "dev" for "variant"');
});

it("goes on with the other combinations after a failure with --keep-going, and names what was not made", async () => {
  const root = demo();
  put(root, "in/script", 'test "$(cat "$KEY")" != "" || exit 0; exit 1\n');
  const broken = ["matrix", "hi", "--over", "greeting=a,b", "--tc-passwd", "x", "-k"];
  const { status, stdout } = await runTask(root, broken);
  expect(status).toBe(1);
  expect(stdout.match(/not made/g)).toHaveLength(2);
});

it("predicts each combination with --dry-run, and makes nothing", async () => {
  const root = demo();
  const { stdout } = await runTask(root, ["matrix", "hi", ...over, "-n"]);
  expect(stdout).toContain("greet@prod~greeting-Bye: would maybe run");
  expect(stdout.match(/name@/g)).toHaveLength(2);
});

it.each([
  [["matrix"], "`matrix` needs a target"],
  [["matrix", "hi"], "the matrix has no axis"],
  [["matrix", "hi", "--over", "greeting"], '--over is "greeting", without the values of an option'],
  [["matrix", "hi", "--over", "greeting=a,,b"], "the matrix names no value for greeting, or an empty one"],
  [["matrix", "hi", "--over", "greeting=a,a"], "the matrix names a value of greeting twice"],
  [["matrix", "hi", "--over", "greeting=a", "--over", "greeting=b"], "the matrix names greeting twice"],
  [["matrix", "hi", "--over", "greting=a"], 'the matrix names "greting", which is no option'],
  [["matrix", "hi", "--over", "variant=dev,pord"], 'there is no variant "pord"'],
  [
    ["matrix", "hi", "--over", "tc-passwd=a"],
    "the matrix cannot vary --tc-passwd: its values would be shown",
  ],
  [["matrix", "hi", "--over", "variant=dev", "--prod"], "--over variant and --prod exclude each other"],
  [["matrix", "hi", "--over", "greeting=a", "-g", "b"], "--over greeting and --greeting exclude each other"],
  [["hi", "--over", "greeting=a"], "--over is an option of `matrix`"],
  [["matrix", "hello", "--over", "greeting=a"], "hello is a command"],
  [["matrix", "hi", "--over", "greeting=a", "--watch"], "`matrix` cannot be watched"],
])("refuses %j", async (words, message) => {
  const { status, stdout, stderr } = await runTask(demo(), words);
  expect(stderr).toContain(message);
  expect(stdout).toBe("");
  expect(status).toBe(2);
});
