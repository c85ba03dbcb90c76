/** A small build as a process of its own: three tasks that write directories, and one that joins what they made. */
import { once } from "node:events";
import { chmodSync, createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  type AbsolutePath,
  build,
  type Digest,
  displayPath,
  file,
  out,
  ParameterValues,
  State,
  task,
  taskfile,
} from "../../../src/engine/index.ts";
import { UserError } from "../../../src/errors/index.ts";

const root = (process.argv[2] ?? "") as AbsolutePath;

const parts = ["a", "b", "c"].map((name, index) =>
  task({
    name: `t${index}`,
    description: "",
    inputs: { text: file(`in/${name}`) },
    outputs: { tree: out.directory("tree") },
    run: async ({ inputs, outputs, scratch }) => {
      const text = readFileSync(inputs.text, "utf8");
      const stream = createWriteStream(path.join(outputs.tree, "text"));
      const written = new Promise<void>((resolve, reject) =>
        stream.once("finish", resolve).once("error", reject),
      );
      for (let count = 0; count < 2000; count += 100) stream.write(text.repeat(100));
      stream.end();
      await written;
      mkdirSync(path.join(outputs.tree, "deep"));
      for (let count = 0; count < 10; count += 1)
        writeFileSync(path.join(outputs.tree, "deep", `${count}`), `${text}${count}`);
      if (!existsSync(path.join(root, "in/read-only"))) return;
      mkdirSync(path.join(scratch, "locked"));
      writeFileSync(path.join(scratch, "locked/file"), "");
      chmodSync(path.join(scratch, "locked"), 0o500);
    },
  }),
);
const [t0, t1, t2] = parts;
if (t0 === undefined || t1 === undefined || t2 === undefined) throw new Error("three tasks are needed");
const joined = task({
  name: "t3",
  description: "",
  needs: { t0, t1, t2 },
  outputs: { joined: out.artifact("build/joined") },
  run: ({ needs, outputs }) =>
    writeFileSync(
      outputs.joined,
      [needs.t0, needs.t1, needs.t2]
        .map(({ tree }) => readFileSync(path.join(tree, "text"), "utf8"))
        .join("\n"),
    ),
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function explain(error: unknown): string {
  if (!(error instanceof UserError))
    return error instanceof Error ? `internal: ${error.stack}` : String(error);
  const where = error.where === undefined ? "" : ` where: ${displayPath(root, error.where)}`;
  return `${error.message}${where} hint: ${error.hint}`;
}

try {
  // A test that kills it at work says when it may begin.
  if (process.argv[3] === "wait") await once(process.stdin, "data");
  process.stdin.destroy();
  const state = new State(root);
  say("begins");
  const { outcome } = await build(
    {
      taskfile: taskfile({ title: "", targets: [joined], variants: { dev: { description: "", flags: [] } } }),
      state,
      code: {
        digestOf: () => "0".repeat(64) as Digest,
        modulesOf: () => [],
        sourcesOf: () => [],
        sources: [],
        locate: () => "?",
      },
      toolHint: () => undefined,
      env: {},
    },
    {
      targets: [joined],
      variant: "dev",
      values: new ParameterValues(new Map(), { root, env: {}, variant: "dev", note: () => {} }),
      force: new Set(),
      keepGoing: false,
      command: "builder",
      signal: new AbortController().signal,
      onEvent: (event) => {
        const name = "task" in event ? event.task?.split("@")[0] : "";
        if (event.type === "task-done") say(`${name}: ran`);
        if (event.type === "task-fresh") say(`${name}: fresh`);
        if (event.type === "task-restored") say(`${name}: restored`);
        if (event.type === "task-failed") say(`${name}: failed ${explain(event.error)}`);
        if (event.type === "note") say(`note ${event.message}`);
        if (event.type === "lock-wait") say(`waits for ${event.pid}`);
      },
    },
  );
  process.exitCode = outcome === "succeeded" ? 0 : 1;
  say("ends");
} catch (error) {
  say(`failed ${explain(error)}`);
  process.exitCode = 1;
}
