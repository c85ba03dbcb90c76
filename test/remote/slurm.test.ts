/** Tasks as jobs of a Slurm cluster that this test starts: right results, failures told apart, and no job left behind. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { demo, put, runTask, startTask } from "../cli/workshop.ts";
import { Cluster } from "../support/cluster.ts";
import { type CacheServer, startCacheServer } from "./cache-server.ts";

let cluster: Cluster;
let server: CacheServer;

beforeAll(async () => {
  cluster = await Cluster.start();
  server = await startCacheServer();
}, 120_000);

afterAll(async () => {
  await cluster.stop();
  await server.close();
}, 60_000);

beforeEach(() => {
  server.blobs.clear();
  server.fault = undefined;
});

const words = (...more: readonly string[]): readonly string[] => [
  "greet",
  "--executor",
  "slurm",
  "--remote-cache",
  server.url,
  "--remote-upload",
  ...more,
];

const onCluster = (root: string, ...more: readonly string[]) => runTask(root, words(...more), cluster.env);

const text = (root: string): string => readFileSync(path.join(root, "build/dev.txt"), "utf8");

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error("that took too long");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Scratch directories of jobs on this machine. */
const scratch = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("razor-mk-job-"));

/** A script that says where it is, and goes on when the file `go` in `directory` (absolute) is there. */
const waiting = (directory: string): string =>
  `echo $$ > '${directory}/pid'; while ! test -e '${directory}/go'; do sleep 0.1; done\n`;

const isThere = (file: string) => (): boolean => {
  try {
    return readFileSync(file, "utf8").endsWith("\n");
  } catch {
    return false;
  }
};

// Each starts several programs, on a machine that may be busy.
describe("the executor slurm", { timeout: 240_000 }, () => {
  it("runs tasks as jobs, with the result of a local build, their output, and results for others", async () => {
    const root = demo();
    put(root, "in/script", "echo from the script\n");
    const { status, stdout, stderr } = await onCluster(root, "-v", "--trace", "trace.json");
    expect(stderr).toContain(`name: rebuilt on ${cluster.node}`);
    expect(stderr).toContain(`greet: rebuilt on ${cluster.node}`);
    expect(stderr).toContain("name | reading the name");
    expect(stderr).toContain("greet | from the script");
    expect(status).toBe(0);
    expect(text(root)).toBe("Hello World\n");
    expect(stdout).toContain("build/dev.txt");
    const { traceEvents } = JSON.parse(readFileSync(path.join(root, "trace.json"), "utf8"));
    const { pid } = traceEvents.find(
      ({ args }: { args: { name?: string } }) => args.name === `node ${cluster.node}`,
    );
    const onNode = traceEvents.filter(
      (one: { ph: string; pid: number }) => one.ph === "X" && one.pid === pid,
    );
    expect(onNode.map(({ name }: { name: string }) => name)).toEqual(["name@dev", "greet@dev"]);
    expect(cluster.jobs()).toEqual([]);
    expect(scratch()).toEqual([]);
    const other = demo();
    put(other, "in/script", "echo from the script\n");
    const found = await runTask(other, ["greet", "--remote-cache", server.url]);
    expect(found.stderr).toContain("greet: restored from the remote cache");
    expect(text(other)).toBe("Hello World\n");
    expect((await onCluster(root)).stderr).toContain("nothing to do");
  });

  it("runs the task once more when its job is killed, and takes nothing from the killed one", async () => {
    const root = demo();
    put(root, "in/script", waiting(root));
    const build = startTask(root, words(), cluster.env);
    await until(isThere(path.join(root, "pid")));
    const [id = ""] = cluster.jobs();
    cluster.command("scancel", "--signal=KILL", id);
    await until(() => !cluster.jobs().includes(id) && cluster.jobs().length === 1);
    writeFileSync(path.join(root, "go"), "");
    const { status, stderr } = await build.done;
    expect(stderr).toContain("the job of greet was lost");
    expect(stderr).toContain(`greet: rebuilt on ${cluster.node}`);
    expect(status).toBe(0);
    expect(text(root)).toBe("Hello World\n");
  });

  it("runs the task here when its job is lost twice", async () => {
    const root = demo();
    put(
      root,
      "in/script",
      `echo x >> '${root}/runs'; test $(wc -l < '${root}/runs') -gt 2 || kill -9 $PPID\n`,
    );
    const { status, stderr } = await onCluster(root);
    expect(stderr).toContain("the task runs here");
    expect(status).toBe(0);
    expect(text(root)).toBe("Hello World\n");
    expect(readFileSync(path.join(root, "runs"), "utf8")).toBe("x\nx\nx\n");
  });

  it("reports a task's failure once, with its output and the node, and does not repeat it", async () => {
    const root = demo();
    put(root, "in/script", `echo x >> '${root}/runs'; echo it is broken; exit 3\n`);
    const { status, stderr } = await onCluster(root);
    expect(status).toBe(1);
    expect(stderr).toContain(`greet failed on ${cluster.node}`);
    expect(stderr).toContain("it is broken");
    expect(readFileSync(path.join(root, "runs"), "utf8")).toBe("x\n");
    expect(cluster.jobs()).toEqual([]);
  });

  it("ends its jobs when it is interrupted", async () => {
    const root = demo();
    put(root, "in/script", waiting(root));
    const build = startTask(root, words(), cluster.env);
    await until(isThere(path.join(root, "pid")));
    build.child.kill("SIGINT");
    expect((await build.done).status).toBe(130);
    await until(() => cluster.jobs().length === 0);
    await until(() => scratch().length === 0);
  });

  it("cancels a job that waits for a node when it is interrupted", async () => {
    const drain = (state: string): unknown =>
      cluster.command("scontrol", "update", `nodename=${cluster.node}`, `state=${state}`, "reason=test");
    drain("drain");
    try {
      const build = startTask(demo(), words(), cluster.env);
      await until(() => cluster.jobs().length === 1);
      build.child.kill("SIGINT");
      expect((await build.done).status).toBe(130);
      await until(() => cluster.jobs().length === 0);
    } finally {
      drain("resume");
    }
  });

  it("leaves no job when it is killed, and the next build does what is left", async () => {
    const root = demo();
    put(root, "in/script", waiting(root));
    const build = startTask(root, words(), cluster.env);
    await until(isThere(path.join(root, "pid")));
    build.child.kill("SIGKILL");
    await until(() => cluster.jobs().length === 0);
    await until(() => scratch().length === 0);
    writeFileSync(path.join(root, "go"), "");
    const { status } = await onCluster(root);
    expect(status).toBe(0);
    expect(text(root)).toBe("Hello World\n");
  });

  it("names the node and the program where a node has another one, or none", async () => {
    const root = demo();
    const [here, there] = [`/tmp/programs-${process.pid}`, `/tmp/programs-${process.pid}-node`];
    const addTool = (directory: string, script: string): void => {
      writeFileSync(path.join(directory, "odd-tool"), script);
      chmodSync(path.join(directory, "odd-tool"), 0o755);
    };
    for (const directory of [here, there]) mkdirSync(directory);
    try {
      addTool(here, "#!/bin/sh\n");
      symlinkSync(process.execPath, path.join(there, "node"));
      const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
      put(root, "tasks/all.ts", tasks.replace('"sleep", "cat"', '"sleep", "cat", "odd-tool"'));
      cluster.setPath(`${there}:/usr/bin:/bin`);
      const env = { ...cluster.env, PATH: `${here}:${process.env.PATH}` };
      const without = await runTask(root, words(), env);
      expect(without.stderr).toContain(`name: rebuilt on ${cluster.node}`);
      expect(without.stderr).toMatch(`greet failed on ${cluster.node}: `);
      expect(without.stderr).toMatch(/odd-tool.* (not installed|not found)/);
      expect(without.status).toBe(1);
      addTool(there, "#!/bin/sh\ntrue\n");
      const { status, stderr } = await runTask(root, words(), env);
      expect(stderr).toContain(`the program odd-tool on ${cluster.node} is another one`);
      expect(status).toBe(1);
    } finally {
      cluster.setPath(undefined);
      for (const directory of [here, there]) rmSync(directory, { recursive: true });
    }
  });

  it("runs nothing on a node that the cache has other bytes for, and makes the right result here", async () => {
    const root = demo();
    put(root, "in/script", `test "$(pwd)" != "" && echo x >> '${root}/runs'\n`);
    // An attacker with write access to the cache replaces every blob; this machine keeps its own copies.
    server.fault = (request, response, key) => {
      const blob = server.blobs.get(key);
      if (request.method !== "GET" || blob === undefined) return false;
      const other = Buffer.alloc(blob.length, "process.exit(0);//");
      response.writeHead(200, { "content-length": other.length }).end(other);
      return true;
    };
    const { status, stderr } = await onCluster(root);
    expect(stderr).toContain("the program is not in the remote cache");
    expect(stderr).toContain("the task runs here");
    expect(status).toBe(0);
    expect(text(root)).toBe("Hello World\n");
    expect(readFileSync(path.join(root, "runs"), "utf8")).toBe("x\n");
  });

  it("does not mind that the node's daemon is killed while a job runs", async () => {
    const root = demo();
    put(root, "in/script", waiting(root));
    const build = startTask(root, words(), cluster.env);
    await until(isThere(path.join(root, "pid")));
    process.kill(cluster.processOf("slurmd"), "SIGKILL");
    writeFileSync(path.join(root, "go"), "");
    try {
      const { status } = await build.done;
      expect(status).toBe(0);
      expect(text(root)).toBe("Hello World\n");
    } finally {
      await cluster.startNode();
    }
  });
});

it.each([
  [["greet", "--executor", "slum"], '--executor is "slum", but must be one of: local, slurm'],
  [["greet", "--executor", "slurm"], "the executor slurm needs a remote cache"],
  [["greet", "--jobs-remote", "0"], '--jobs-remote is "0", but must be a positive integer'],
])("refuses %j", async (given, message) => {
  const { status, stderr } = await runTask(demo(), given);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
