/** Results of other machines are looked up before their tasks' turn, all that can be known at once. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import {
  type Download,
  out,
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

it("along a chain before the first content has arrived", async () => {
  const first = step("first");
  const second = step("second", { first });
  const third = step("third", { second });
  const remote = await filled([third]);
  let known: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    known = resolve;
  });
  remote.onFind = async (name) => {
    if (name === "third") known();
  };
  remote.onDownload = () => all;
  const { outcomes } = await run(workspace({}), [third], { remote });
  expect(outcomes).toEqual({ "first@dev": "restored", "second@dev": "restored", "third@dev": "restored" });
  expect(remote.asked).toEqual(["first", "second", "third"]);
  // What more depends on is fetched first.
  const priority = (name: string): number => remote.priorities.get(name) ?? 0;
  expect(priority("first")).toBeGreaterThan(priority("second"));
  expect(priority("second")).toBeGreaterThan(priority("third"));
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
  // The contents of the first are gone: it runs, and makes something else.
  remote.onDownload = (content) =>
    content === "first" ? Promise.reject(new Error("unused")) : Promise.resolve();
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
  expect(outcomes["first@dev"]).toBe("never built");
  expect(remote.asked).toEqual(["first", "second", "second"]);
});
