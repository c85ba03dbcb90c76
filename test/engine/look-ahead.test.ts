/** Results of other machines are looked up before their tasks' turn, all that can be known at once. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import {
  type Download,
  out,
  param,
  type RemoteCache,
  type RemoteResult,
  type ResultKey,
  type Store,
  type Task,
  task,
} from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

/** A cache in memory, with the order of all that it was asked for. */
class MemoryCache implements RemoteCache {
  readonly #results = new Map<string, RemoteResult>();
  readonly #contents = new Map<string, Buffer>();
  readonly asked: string[] = [];
  readonly priorities = new Map<string, number>();
  /** Called for each look-up, and for each download; the answer waits for it. */
  onFind: (task: string) => Promise<void> = async () => {};
  onDownload: (content: string) => Promise<void> = async () => {};
  atOnce = 0;
  most = 0;

  tally(): void {}

  async provide(): Promise<boolean> {
    return false;
  }

  async retrieve(): Promise<boolean> {
    return false;
  }

  offerContent(): void {}

  async find(key: ResultKey): Promise<RemoteResult | undefined> {
    this.asked.push(key.task);
    this.most = Math.max(this.most, ++this.atOnce);
    await this.onFind(key.task);
    this.atOnce -= 1;
    return this.#results.get(JSON.stringify(key));
  }

  async download({ blobs, store, priority }: Download): Promise<boolean> {
    for (const { digest, size } of blobs) {
      const content = this.#contents.get(digest);
      if (content === undefined) return false;
      this.priorities.set(content.toString(), priority);
      await this.onDownload(content.toString());
      const chunks = async function* () {
        yield content;
      };
      if (!(await store.receive(digest as never, size, chunks()))) return false;
    }
    return true;
  }

  offer(key: ResultKey, result: Omit<RemoteResult, "maker">, store: Store): void {
    this.#results.set(JSON.stringify(key), { ...result, maker: "test" });
    for (const entry of result.outputs.values())
      if (entry.type === "file") this.#contents.set(entry.digest, readFileSync(store.pathOf(entry.digest)));
  }
}

const step = (name: string, needs: Readonly<Record<string, Task>> = {}) =>
  task({
    name,
    description: "",
    needs,
    outputs: { text: out.file("text") },
    run: ({ outputs }) => writeFileSync(outputs.text, name),
  });

async function filled(targets: readonly Task[]): Promise<MemoryCache> {
  const remote = new MemoryCache();
  expect((await run(workspace({}), targets, { remote })).outcome).toBe("succeeded");
  remote.asked.length = 0;
  remote.most = 0;
  return remote;
}

it("sixteen at once, however few tasks run at once", async () => {
  const steps = Array.from({ length: 40 }, (_, index) => step(`step-${index}`));
  const remote = await filled(steps);
  let full: () => void = () => {};
  const sixteen = new Promise<void>((resolve) => {
    full = resolve;
  });
  // The first sixteen answers come when sixteen were asked for: with fewer at once the build would never end.
  remote.onFind = async () => {
    if (remote.asked.length === 16) full();
    await sixteen;
  };
  const { outcomes } = await run(workspace({}), steps, { remote, jobs: 1 });
  expect(new Set(Object.values(outcomes))).toEqual(new Set(["restored"]));
  // One more is what the running task asks for itself.
  expect(remote.most).toBeGreaterThanOrEqual(16);
  expect(remote.most).toBeLessThanOrEqual(17);
  expect(remote.asked).toHaveLength(40);
});

it("along a chain, of which only the target's content is fetched", async () => {
  const first = step("first");
  const second = step("second", { first });
  const third = step("third", { second });
  const remote = await filled([third]);
  const root = workspace({});
  const { outcomes } = await run(root, [third], { remote });
  expect(outcomes).toEqual({ "first@dev": "restored", "second@dev": "restored", "third@dev": "restored" });
  expect(remote.asked).toEqual(["first", "second", "third"]);
  expect([...remote.priorities.keys()]).toEqual(["third"]);
  expect(existsSync(`${root}/.buildcache/v1/out/dev/second`)).toBe(false);
});

it("and a build that finds nothing changed asks nothing, although outputs were never fetched", async () => {
  const second = step("second", { first: step("first") });
  const remote = await filled([second]);
  const root = workspace({});
  await run(root, [second], { remote });
  remote.asked.length = 0;
  const { outcomes } = await run(root, [second], { remote });
  expect(outcomes).toEqual({ "first@dev": "fresh", "second@dev": "fresh" });
  expect(remote.asked).toEqual([]);
  expect((await run(root, [second])).outcomes).toEqual(outcomes);
});

/** A target of its own text on the outputs of two others. */
const joined = (text: string, needs: Readonly<Record<string, Task>>) =>
  task({
    name: "joined",
    description: "",
    needs,
    params: { text: param.text({ name: "text", description: "", default: text }) },
    outputs: { text: out.file("text") },
    run: ({ needs, outputs, params }) => {
      const texts = Object.values(needs).map((need) => readFileSync(need?.text ?? "", "utf8"));
      writeFileSync(outputs.text, [...texts, params.text].join(" "));
    },
  }) as Task;

it("fetches what a task needs as soon as it is known that the task runs, the longest chain first", async () => {
  const first = step("first");
  const second = step("second", { first });
  const remote = await filled([joined("a", { first, second })]);
  const root = workspace({});
  const { outcomes } = await run(root, [joined("b", { first, second })], { remote });
  expect(outcomes["first@dev"]).toBe("restored");
  expect(outcomes["joined@dev"]).not.toBe("restored");
  expect(readFileSync(`${root}/.buildcache/v1/out/dev/joined/text`, "utf8")).toBe("first second b");
  const priority = (name: string): number => remote.priorities.get(name) ?? 0;
  expect(priority("first")).toBeGreaterThan(priority("second"));
});

it("fetches later what an earlier build did without, or makes it where nobody has it any more", async () => {
  const first = step("first");
  const second = step("second", { first });
  const remote = await filled([joined("a", { first, second })]);
  for (const isGone of [false, true]) {
    const root = workspace({});
    await run(root, [joined("a", { first, second })], { remote });
    if (isGone) remote.onDownload = () => Promise.reject(new Error("gone"));
    const download = remote.download.bind(remote);
    remote.download = (...given) => download(...given).catch(() => false);
    const { outcomes, outcome } = await run(root, [joined("b", { first, second })], {
      ...(isGone ? {} : { remote }),
    });
    expect(outcome).toBe("succeeded");
    expect(outcomes["second@dev"]).toBe(isGone ? "its outputs were left in the remote cache" : "restored");
    expect(readFileSync(`${root}/.buildcache/v1/out/dev/joined/text`, "utf8")).toBe("first second b");
  }
});

it("for nothing that this machine has", async () => {
  const first = step("first");
  const second = step("second", { first });
  const remote = await filled([second]);
  const root = workspace({});
  await run(root, [first], { remote });
  remote.asked.length = 0;
  await run(root, [second], { remote });
  expect(remote.asked).toEqual(["second"]);
  remote.asked.length = 0;
  await run(root, [second], { remote });
  expect(remote.asked).toEqual([]);
});

it("and a task whose needs turn out otherwise is looked up again, and runs", async () => {
  const remote = await filled([step("second", { first: step("first") })]);
  // No contents are there any more: the first runs, and makes something else.
  remote.onDownload = () => Promise.reject(new Error("unused"));
  const download = remote.download.bind(remote);
  remote.download = (...given) => download(...given).catch(() => false);
  let made = 0;
  const first = task({
    name: "first",
    description: "",
    outputs: { text: out.file("text") },
    run: ({ outputs }) => writeFileSync(outputs.text, `other ${++made}`),
  });
  const { outcomes } = await run(workspace({}), [step("second", { first })], { remote });
  expect(outcomes["first@dev"]).toBe("its outputs were left in the remote cache");
  expect(outcomes["second@dev"]).toBe("never built");
  expect(remote.asked).toEqual(["first", "second", "second"]);
});

it("a failure of what was deferred is reported once, and skips what needs it", async () => {
  const remote = await filled([joined("a", { first: step("first") })]);
  const first = task({
    name: "first",
    description: "",
    outputs: { text: out.file("text") },
    run: () => {
      throw new Error("broken");
    },
  });
  remote.download = async () => false;
  const { outcome, outcomes } = await run(workspace({}), [joined("b", { first })], { remote });
  expect(outcome).toBe("failed");
  expect(outcomes["first@dev"]).toContain("broken");
  expect(outcomes["joined@dev"]).toBe("skipped");
});
