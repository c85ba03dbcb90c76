/** Private outputs are readable only by their owner: while the task runs, in their place, in the store, and when restored. */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, files, out, State, type Task, task } from "../../src/engine/index.ts";
import { v1 } from "./state-rig.ts";
import { run, workspace } from "./workshop.ts";

const modeOf = (target: string): string => (lstatSync(target).mode & 0o777).toString(8);

/** A task with public and private outputs, that tells the mode of the directory that it works in. */
function keeper() {
  const seen: string[] = [];
  const keys = task({
    name: "keys",
    description: "",
    inputs: { text: file("in/text", { byLine: true }) },
    outputs: {
      key: out.file("key", { private: true }),
      joined: out.file("joined", { private: true }),
      tree: out.directory("tree", { private: true }),
      kept: out.artifact("build/kept", { private: true }),
      open: out.artifact("build/open"),
    },
    async run({ inputs, outputs, join, log }) {
      log("printed");
      seen.push(modeOf(path.dirname(path.dirname(outputs.key))));
      writeFileSync(outputs.key, "the key", { mode: 0o644 });
      await join(outputs.joined, [{ bytes: Buffer.from("joined ") }, { file: inputs.text }]);
      mkdirSync(path.join(outputs.tree, "below"));
      writeFileSync(path.join(outputs.tree, "below/script"), "#!/bin/sh\n", { mode: 0o755 });
      writeFileSync(outputs.kept, "kept");
      writeFileSync(outputs.open, "open", { mode: 0o600 });
    },
  }) as Task;
  return { keys, seen };
}

describe("a private output", () => {
  const wanted = { key: "600", joined: "600", tree: "700", "tree/below": "700", "tree/below/script": "600" };
  const expectPrivate = (root: string): void => {
    for (const [name, mode] of Object.entries(wanted))
      expect(modeOf(v1(root, "out/dev/keys", name)), name).toBe(mode);
    expect(modeOf(path.join(root, "build/kept"))).toBe("600");
    expect(modeOf(path.join(root, "build/open"))).toBe("644");
  };

  it("is its owner's only: in staging, in its place, in the store and when it is restored", async () => {
    const root = workspace({ "in/text": "secret text" });
    const { keys, seen } = keeper();
    expect((await run(root, [keys])).outcome).toBe("succeeded");
    expect(seen).toEqual(["700"]);
    expectPrivate(root);
    const { store } = new State(root);
    for (const text of ["the key", "joined ", "#!/bin/sh\n", "kept", "secret text", "printed\n"])
      expect(modeOf(store.pathOf(store.putText(text))), text).toBe("400");
    expect(modeOf(store.pathOf(store.putText("open")))).toBe("444");
    expect((await run(root, [keys])).outcomes["keys@dev"]).toBe("fresh");

    rmSync(v1(root, "out"), { recursive: true });
    rmSync(path.join(root, "build"), { recursive: true });
    expect((await run(root, [keys])).outcomes["keys@dev"]).toBe("restored");
    expectPrivate(root);
    expect((await run(root, [keys])).outcomes["keys@dev"]).toBe("fresh");
  });

  it("that became readable for others is not fresh, and neither is a public one that is not any more", async () => {
    for (const [name, mode] of [
      [".buildcache/v1/out/dev/keys/key", 0o644],
      [".buildcache/v1/out/dev/keys/joined", 0o640],
      [".buildcache/v1/out/dev/keys/tree/below/script", 0o755],
      ["build/kept", 0o604],
      ["build/open", 0o600],
    ] as const) {
      const root = workspace({ "in/text": "secret text" });
      const { keys } = keeper();
      await run(root, [keys]);
      chmodSync(path.join(root, name), mode);
      expect((await run(root, [keys])).outcomes["keys@dev"], name).toBe("restored");
      expectPrivate(root);
    }
  });

  it("is another result than a public one of the same content", async () => {
    const root = workspace({});
    const made = (secret: boolean): Task =>
      task({
        name: "made",
        description: "",
        outputs: { text: out.file("text", { private: secret }) },
        run: ({ outputs }) => writeFileSync(outputs.text, "the same"),
      }) as Task;
    for (const [secret, mode, blob] of [
      [false, "644", "444"],
      [true, "600", "400"],
      [false, "644", "400"],
    ] as const) {
      expect((await run(root, [made(secret)])).outcomes["made@dev"]).not.toBe("fresh");
      expect(modeOf(v1(root, "out/dev/made/text"))).toBe(mode);
      const { store } = new State(root);
      // What was secret once stays so in the store.
      expect(modeOf(store.pathOf(store.putText("the same")))).toBe(blob);
    }
  });

  it("does not depend on who may read the inputs", async () => {
    const root = workspace({ "in/text": "text" });
    const { keys } = keeper();
    await run(root, [keys]);
    chmodSync(path.join(root, "in/text"), 0o600);
    expect((await run(root, [keys])).outcomes["keys@dev"]).toBe("fresh");
  });
});

describe("an output that is a hard link", () => {
  it("to an input leaves the input's mode and times alone, and is fresh afterwards", async () => {
    const root = workspace({ "in/text": "the user's", "in/second": "too" });
    chmodSync(path.join(root, "in/text"), 0o640);
    const old = new Date("2001-02-03T04:05:06Z");
    utimesSync(path.join(root, "in/text"), old, old);
    const linking = task({
      name: "linking",
      description: "",
      inputs: { text: files("in/*") },
      outputs: { text: out.artifact("build/text"), tree: out.artifactDirectory("build/tree") },
      run: ({ inputs, outputs }) => {
        linkSync(path.join(inputs.text.root, "in/text"), outputs.text);
        linkSync(path.join(inputs.text.root, "in/second"), path.join(outputs.tree, "second"));
        linkSync(path.join(inputs.text.root, "in/second"), path.join(outputs.tree, "again"));
      },
    }) as Task;
    const { outcome, notes } = await run(root, [linking]);
    expect([outcome, notes]).toEqual(["succeeded", []]);
    const status = statSync(path.join(root, "in/text"));
    expect([modeOf(path.join(root, "in/text")), status.mtimeMs, status.nlink]).toEqual([
      "640",
      old.getTime(),
      1,
    ]);
    expect(modeOf(path.join(root, "build/text"))).toBe("644");
    writeFileSync(path.join(root, "build/text"), "edited");
    expect(readFileSync(path.join(root, "in/text"), "utf8")).toBe("the user's");
    rmSync(path.join(root, "build/text"));
    expect((await run(root, [linking])).outcomes["linking@dev"]).toBe("restored");
    expect((await run(root, [linking])).outcomes["linking@dev"]).toBe("fresh");
  });
});

describe("a link in an output", () => {
  it("that leaves it is refused with what to do, and nothing is put in place", async () => {
    for (const target of ["/etc/passwd", "../../elsewhere", "below/../../x"]) {
      const root = workspace({});
      const linking = task({
        name: "linking",
        description: "",
        outputs: { tree: out.artifactDirectory("build/tree") },
        run: ({ outputs }) => {
          mkdirSync(path.join(outputs.tree, "below"));
          symlinkSync(target, path.join(outputs.tree, "link"));
        },
      }) as Task;
      const { outcome, events } = await run(root, [linking]);
      expect(outcome).toBe("failed");
      expect(events.find(({ type }) => type === "task-failed")).toMatchObject({
        error: {
          code: "output-link",
          message: expect.stringContaining("tree/link"),
          hint: expect.any(String),
        },
      });
      expect(() => lstatSync(path.join(root, "build/tree"))).toThrow();
    }
  });
});
