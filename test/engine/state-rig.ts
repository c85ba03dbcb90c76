/** A small workspace that was built, ways to damage what the build left, and what must be true afterwards. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { type AbsolutePath, files, out, param, type Task, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

/** Three tasks in a row, a directory and a secret among them; `runs` counts. */
export function chain() {
  const runs: string[] = [];
  const secret = param.secret({ name: "secret", description: "", default: undefined });
  const first = task({
    name: "first",
    description: "",
    inputs: { text: files("in/**") },
    params: { secret },
    outputs: { tree: out.directory("tree") },
    run: ({ inputs, outputs }) => {
      runs.push("first");
      for (const name of inputs.text.paths) {
        const text = readFileSync(path.join(inputs.text.root, name), "utf8");
        writeFileSync(path.join(outputs.tree, path.basename(name)), text.toUpperCase());
      }
      symlinkSync("text", path.join(outputs.tree, "link"));
    },
  });
  const second = task({
    name: "second",
    description: "",
    needs: { first },
    outputs: { text: out.file("text") },
    run: ({ needs, outputs }) => {
      runs.push("second");
      writeFileSync(outputs.text, readFileSync(path.join(needs.first.tree, "text")));
      chmodSync(outputs.text, 0o755);
    },
  });
  const third = task({
    name: "third",
    description: "",
    needs: { second },
    outputs: { text: out.artifact("build/third") },
    run: ({ needs, outputs }) => {
      runs.push("third");
      writeFileSync(outputs.text, `${readFileSync(needs.second.text, "utf8")}!`);
    },
  });
  return { third: third as Task, runs };
}

export const given = { secret: "opensesame" };
export const v1 = (root: string, ...rest: string[]) => path.join(root, ".buildcache/v1", ...rest);

export async function built(content: Record<string, string> = { "in/text": "hello" }) {
  const root = workspace(content);
  const { third, runs } = chain();
  const first = await run(root, [third], { given });
  expect(first.outcome).toBe("succeeded");
  runs.length = 0;
  return { root, third, runs };
}

/** The result is right, and the run after it has nothing to do. */
export async function expectRight(root: AbsolutePath, third: Task, wanted = "HELLO!") {
  const result = await run(root, [third], { given });
  expect(result.outcome).toBe("succeeded");
  expect(readFileSync(path.join(root, "build/third"), "utf8")).toBe(wanted);
  const again = await run(root, [third], { given });
  expect(new Set(Object.values(again.outcomes))).toEqual(new Set(["fresh"]));
  expect(again.notes).toEqual([]);
  return result;
}

export function everyBlob(root: string): readonly string[] {
  const store = v1(root, "store");
  return readdirSync(store).flatMap((directory) =>
    readdirSync(path.join(store, directory)).map((name) => path.join(store, directory, name)),
  );
}

export const damages: Readonly<Record<string, (target: string) => void>> = {
  "a flipped bit near its start": (target) => flip(target, 5),
  "a flipped bit in its middle": (target) => flip(target, Math.floor(readFileSync(target).length / 2)),
  "a flipped bit at its end": (target) => flip(target, readFileSync(target).length - 2),
  "half of it gone": (target) => truncateSync(target, Math.floor(readFileSync(target).length / 2)),
  "its last byte gone": (target) => truncateSync(target, readFileSync(target).length - 1),
  "nothing in it": (target) => truncateSync(target, 0),
  "a newer version's content": (target) => writeFileSync(target, "razor-mk-state 999\nsomething else\n"),
  "noise in it": (target) =>
    writeFileSync(target, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256))),
  "noise after it": (target) => appendFileSync(target, Buffer.from([0, 255, 10, 9, 10, 128])),
  "a directory in its place": (target) => {
    rmSync(target);
    mkdirSync(path.join(target, "below"), { recursive: true });
  },
  "nothing in its place": (target) => rmSync(target),
};

export function flip(target: string, at: number): void {
  chmodSync(target, 0o644);
  const bytes = readFileSync(target);
  const place = Math.max(0, Math.min(at, bytes.length - 1));
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
  writeFileSync(target, bytes);
}
