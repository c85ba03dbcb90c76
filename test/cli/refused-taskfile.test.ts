/** An invalid Taskfile is refused when it is loaded, with a message, the places, a hint, and no stack. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with another Taskfile; `TASK` stands for what defines a task of a name. */
function refused(text: string): string {
  const root = demo();
  const [from] =
    /"[^"]*src\/engine\/index\.ts"/.exec(readFileSync(path.join(root, "Taskfile.ts"), "utf8")) ?? [];
  put(
    root,
    "Taskfile.ts",
    `import { writeFileSync } from "node:fs";
import * as engine from ${from};
const { command, file, files, only, out, param, task, taskfile } = engine as any;
const make = (name: string, more: object = {}) => task({
  name, description: "", outputs: { text: out.artifact(\`build/\${name}\`) },
  run: ({ outputs }: any) => { for (const one of Object.values(outputs)) writeFileSync(one as string, "mine"); }, ...more,
});
const variants = { dev: { description: "", flags: ["--dev"] } };
const whole = (targets: unknown, more: object = {}) => taskfile({ title: "", targets, variants, ...more });
${text}
`,
  );
  return root;
}

/** What is written, what is said (all of it), and the places that are named. */
const cases: Readonly<Record<string, readonly [text: string, said: readonly string[]]>> = {
  "no default export": [
    "export const x = 1;",
    ["Taskfile.ts has no default export", "export default taskfile"],
  ],
  "another default export": ["export default { targets: [] };", ["is a plain object", "taskfile({"]],
  "a default export that is a function": ["export default () => whole([]);", ["is a function"]],
  "no variants": ["export default taskfile({ title: '', targets: [make('x')] });", ["defines no variants"]],
  "a variant without flags": [
    "export default whole([make('x')], { variants: { dev: {} } });",
    ['variant "dev" has no flags'],
  ],
  "a variant that is a path": [
    "export default whole([make('x')], { variants: { '../x': { description: '', flags: [] } } });",
    ['a variant cannot be named "../x"'],
  ],
  "no targets": ["export default whole(undefined);", ["targets are undefined"]],
  "a text for a target": [
    "export default whole([make('x'), 'iso']);",
    ['targets[1] must be a task or a command, but is the text "iso"', "without quotes"],
  ],
  "nothing for an alias": [
    "export default whole([make('x')], { aliases: { y: undefined } });",
    ["aliases.y must be a task or a command, but is undefined"],
  ],
  "a time limit of nothing": [
    "export default whole([make('x', { timeout: 0 })]);",
    ["the timeout of x is 0", "above 0", "Taskfile.ts:"],
  ],
  "half a retry": [
    "export default whole([make('x', { retries: 0.5 })]);",
    ["retries of x is 0.5", "non-negative integer"],
  ],
  "a text for env files": [
    "export default whole([make('x', { envFiles: 'lab.env' })]);",
    ['envFiles of x is the text "lab.env"'],
  ],
  "a text for a need": [
    "export default whole([make('x', { needs: { other: 'y' } })]);",
    ['the need "other" of x is the text "y"', "Taskfile.ts:"],
  ],
  "a text for an input": [
    "export default whole([make('x', { inputs: { all: 'src/**' } })]);",
    ['the input "all" of x is the text "src/**"', "files(", "Taskfile.ts:"],
  ],
  "a text for an output": [
    "export default whole([make('x', { outputs: { o: 'build/o' } })]);",
    ['output "o" of x', "Taskfile.ts:"],
  ],
  "a text for a parameter": [
    "export default whole([make('x', { params: { p: 'p' } })]);",
    ['parameter "p" of x', "Taskfile.ts:"],
  ],
  "a text for the tools": [
    "export default whole([make('x', { tools: 'tar' })]);",
    ['tools of x is the text "tar"'],
  ],
  "a pattern that leaves its directory": [
    "export default whole([make('x', { inputs: { all: files('../y/*') } })]);",
    ['the pattern "../y/*"', "leaves the input's directory"],
  ],
  "patterns that only leave out": [
    "export default whole([make('x', { inputs: { all: files(['!a', '!b']) } })]);",
    ["has only negated patterns"],
  ],
  "an output of a need that it does not have": [
    "const y = make('y');\nexport default whole([make('x', { needs: { y: only(y, 'tree') } })]);",
    ['x needs the output "tree" of y', "Taskfile.ts:13 and Taskfile.ts:12", "its outputs are text"]
      .slice(0, 1)
      .concat("its outputs are text"),
  ],
  "an unknown pool": [
    "export default whole([make('x', { pool: 'netwrok' })]);",
    ['pool "netwrok"', "Taskfile.ts:", "its pools are cpu"],
  ],
  "a task called like a command": [
    "export default whole([make('why')]);",
    ['the target "why"', "`task why`", "Taskfile.ts:"],
  ],
  "an alias called like a command": [
    "const x = make('x');\nexport default whole([x], { aliases: { list: x } });",
    ['the target "list" has the name of a built-in command'],
  ],
  "a needed task called like a command": [
    "export default whole([make('x', { needs: { l: make('list') } })]);",
    ['the target "list" has the name of a built-in command'],
  ],
  "two parameters of one name": [
    "const p = () => param.text({ name: 'p', description: '', default: '' });\nexport default whole([make('x', { params: { p: p() } }), make('y', { params: { p: p() } })]);",
    ['two parameters are named "p"', "x (Taskfile.ts:", "y (Taskfile.ts:"],
  ],
  "a parameter called like an option of the program": [
    "export default whole([make('x', { params: { p: param.text({ name: 'jobs', description: '', default: '' }) } })]);",
    ["--jobs", 'the parameter "jobs" of x (Taskfile.ts:', "a built-in option"],
  ],
  "a parameter with a letter of the program's": [
    "export default whole([make('x', { params: { p: param.text({ name: 'p', short: 'j', description: '', default: '' }) } })]);",
    ["-j", 'the parameter "p" of x'],
  ],
  "a parameter called like a variant's switch": [
    "export default whole([make('x', { params: { p: param.switch({ name: 'dev', description: '', default: false }) } })]);",
    ["--dev", 'the parameter "dev" of x', 'the variant "dev"'],
  ],
  ...Object.fromEntries(
    ["Taskfile.ts", ".git", ".git/config", ".buildcache/v1/stamps.log", ".buildcache"].map((place) => [
      `an artifact on ${place}`,
      [
        `export default whole([make('x', { outputs: { o: out.artifact('${place}') } })]);`,
        ["x would", place, "place the output elsewhere"].slice(0, 2),
      ] as const,
    ]),
  ),
  "an artifact on a source": [
    "import { name } from './tasks/all.ts';\nexport default whole([name, make('x', { outputs: { o: out.artifact('tasks/all.ts') } })]);",
    ["x would overwrite tasks/all.ts", "Taskfile.ts:"],
  ],
  "a directory with a source in it": [
    "import { name } from './tasks/all.ts';\nexport default whole([name, make('x', { outputs: { o: out.artifactDirectory('tasks') } })]);",
    ["x would make tasks", "tasks/all.ts"],
  ],
  "an artifact whose computed path is the Taskfile": [
    "export default whole([make('x', { outputs: { o: out.artifact(() => 'Taskfile.ts') } })]);",
    ["x would overwrite Taskfile.ts"],
  ],
  "an artifact that another task reads without needing it": [
    "export default whole([make('x'), make('y', { inputs: { all: files('build/*') }, outputs: { o: out.file('o') } })]);",
    ['y reads build/x (input "all"), which x makes, but does not need that task', "add x to its needs"],
  ],
  "an artifact that another task names as its file": [
    "export default whole([make('x'), make('y', { inputs: { all: file('build/x', { optional: true }) } })]);",
    ["y reads build/x"],
  ],
};

describe("a Taskfile with", () => {
  for (const [what, [text, said]] of Object.entries(cases)) {
    it(`${what} is refused`, async () => {
      const root = refused(text);
      const before = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
      const { status, stderr } = await runTask(root, ["x"]);
      for (const part of said) expect(stderr).toContain(part);
      expect(stderr).toContain("  hint: ");
      expect(stderr).not.toMatch(/a bug in razor-mk|Cannot read|is not a function|\n {4}at /);
      expect(status).toBe(1);
      expect(readFileSync(path.join(root, "Taskfile.ts"), "utf8")).toBe(before);
    });
  }
});

describe("a Taskfile", () => {
  it("whose task reads what a task makes that it needs, directly or not, is not refused", async () => {
    const root = refused(`const x = make("x");
const y = make("y", { needs: { x }, inputs: { all: files("build/x") } });
const z = make("z", { needs: { y }, inputs: { one: file("build/x") } });
export default whole([x, y, z]);`);
    writeFileSync(path.join(root, "in/name"), "");
    const { status, stderr } = await runTask(root, ["z"]);
    expect([status, stderr]).toEqual([0, expect.stringContaining("done")]);
  });
});
