/** Outputs that a task makes by joining files: what is recorded of them, and how they come back. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AbsolutePath,
  type Digest,
  file,
  only,
  out,
  State,
  type Task,
  task,
} from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

const large = "a large part. ".repeat(220_000);

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

const base = task({
  name: "base",
  description: "a large file that seldom changes",
  inputs: { large: file("large.txt") },
  outputs: { large: out.file("large.bin"), note: out.file("note.txt") },
  async run({ inputs, outputs }) {
    const text = await readFile(inputs.large);
    await writeFile(outputs.large, text);
    await writeFile(outputs.note, text.subarray(-8));
  },
});

const image: Task = task({
  name: "image",
  description: "the large file, and what is edited",
  needs: { base },
  inputs: { edited: file("edited.txt") },
  outputs: { image: out.artifact("image.bin") },
  async run({ needs, inputs, outputs, join, digest }) {
    const sum = digest([{ file: needs.base.large }, { file: inputs.edited }]);
    const late = sum.then((text) => Buffer.from(text));
    const joined = await join(outputs.image, [
      { file: needs.base.large },
      { file: inputs.edited },
      { bytes: late },
    ]);
    expect(joined.sha256).toBe(sha256(await readFile(outputs.image)));
  },
});

/** Not fresh and not restored, whatever the reason. */
const ran = /^(?!fresh|restored|failed|skipped)/;

describe("a file that is joined of others", () => {
  const build = () => workspace({ "large.txt": large, "edited.txt": "one" });
  const at = (root: string, name: string) => path.join(root, name);
  const wanted = async (root: string): Promise<Buffer> => {
    const content = Buffer.concat([
      await readFile(at(root, "large.txt")),
      await readFile(at(root, "edited.txt")),
    ]);
    return Buffer.concat([content, Buffer.from(sha256(content))]);
  };
  const isRight = async (root: string): Promise<boolean> =>
    (await wanted(root)).equals(await readFile(at(root, "image.bin")));

  it("holds its parts, one behind the other, and is fresh at once without being read again", async () => {
    const root = build();
    await run(root, [image]);
    expect(await isRight(root)).toBe(true);
    const state = new State(root as AbsolutePath);
    expect(await state.files.at(at(root, "image.bin") as AbsolutePath)).toMatchObject({
      digest: sha256(await wanted(root)),
    });
    expect(state.files.hashed).toBe(0);
    expect((await run(root, [image])).outcomes["image@dev"]).toBe("fresh");
  });

  it("is not kept a second time, and comes back from its parts", async () => {
    const root = build();
    await run(root, [image]);
    const store = at(root, ".buildcache/v1/store");
    const sizes = readdirSync(store, { recursive: true }).map(
      (name) => statSync(path.join(store, String(name))).size,
    );
    expect(sizes.filter((size) => size >= large.length)).toEqual([large.length]);
    await rm(at(root, "image.bin"));
    expect((await run(root, [image])).outcomes["image@dev"]).toBe("restored");
    expect(await isRight(root)).toBe(true);
  });

  it("keeps its parts when the store is brought down to its limit", async () => {
    const root = build();
    await run(root, [image]);
    // What no current result needs goes: of another edit, in whose place the first one comes back.
    await writeFile(at(root, "edited.txt"), "two");
    await run(root, [image], { maxSize: 1 });
    await rm(at(root, "image.bin"));
    expect((await run(root, [image])).outcomes["image@dev"]).toBe("restored");
    expect(await isRight(root)).toBe(true);
  });

  it("is made anew when one of its parts was damaged in the store", async () => {
    const root = build();
    await run(root, [image]);
    const part = sha256(large);
    const blob = at(root, path.join(".buildcache/v1/store", part.slice(0, 2), part.slice(2)));
    await rm(blob);
    await writeFile(blob, "\0".repeat(large.length));
    await rm(at(root, "image.bin"));
    expect((await run(root, [image])).outcomes["image@dev"]).toMatch(ran);
    expect(await isRight(root)).toBe(true);
  });

  it("notices a write that follows at once, even one that keeps size and time of change", async () => {
    const root = build();
    await run(root, [image]);
    const before = statSync(at(root, "image.bin"));
    const bytes = await readFile(at(root, "image.bin"));
    bytes[7] = 0;
    await writeFile(at(root, "image.bin"), bytes);
    expect((await run(root, [image])).outcomes["image@dev"]).not.toBe("fresh");
    await writeFile(at(root, "image.bin"), bytes);
    await utimes(at(root, "image.bin"), before.atime, before.mtime);
    expect((await run(root, [image])).outcomes["image@dev"]).not.toBe("fresh");
    expect(await isRight(root)).toBe(true);
  });

  it("is right after edits of small and large parts in one process", async () => {
    const root = build();
    await run(root, [image]);
    const state = new State(root as AbsolutePath);
    for (const [name, content] of [
      ["edited.txt", "two"],
      ["large.txt", `${large}more`],
      ["edited.txt", "three, which is longer"],
      ["large.txt", large],
    ] as const) {
      await writeFile(at(root, name), content);
      state.files.forgetAll();
      expect((await run(root, [image], { state })).outcomes["image@dev"]).toMatch(ran);
      expect(await isRight(root)).toBe(true);
    }
  });
});

describe("a file that is joined again by the same process", () => {
  /** Joined once of a large and a small file, and put in its place. */
  async function joinedOnce() {
    const root = workspace({ "large.txt": large, "small.txt": "one", "work/other": "" });
    const at = (name: string) => path.join(root, name) as AbsolutePath;
    const { concatenator, files } = new State(root as AbsolutePath);
    const join = () =>
      concatenator.join(
        at("work/image"),
        [{ file: at("large.txt") }, { file: at("small.txt") }, { bytes: Buffer.from("end") }],
        new AbortController().signal,
      );
    await join();
    renameSync(at("work/image"), at("image"));
    files.moved(at("work/image"), at("image"));
    concatenator.moved(at("work/image"), at("image"));
    return { at, concatenator, files, join };
  }

  it.each([false, true])(
    "is a copy into which only what differs is written (begun ahead: %s)",
    async (ahead) => {
      const { at, concatenator, files, join } = await joinedOnce();
      for (const text of ["two", "three, which is longer", "4"]) {
        writeFileSync(at("small.txt"), text);
        if (ahead) concatenator.anticipate(at("work"));
        const joined = await join();
        expect(readFileSync(at("work/image"), "utf8") === `${large}${text}end`).toBe(true);
        expect(joined).toEqual({
          size: large.length + text.length + 3,
          sha256: sha256(`${large}${text}end`),
        });
      }
      // A join that read the large part again would see this.
      writeFileSync(at("large.txt"), "x".repeat(large.length));
      files.recordWritten(at("large.txt"), sha256(large) as Digest);
      await join();
      expect(readFileSync(at("work/image"), "utf8") === `${large}4end`).toBe(true);
    },
  );

  it.each([false, true])(
    "is written whole where somebody changed the one before (begun ahead: %s)",
    async (ahead) => {
      const { at, concatenator, join } = await joinedOnce();
      const { atime, mtime } = statSync(at("image"));
      if (ahead) concatenator.anticipate(at("work"));
      writeFileSync(at("image"), "y".repeat(large.length + 6));
      utimesSync(at("image"), atime, mtime);
      await join();
      expect(readFileSync(at("work/image"), "utf8") === `${large}oneend`).toBe(true);
    },
  );

  it("leaves nothing of what was begun ahead and not needed", async () => {
    const { at, concatenator } = await joinedOnce();
    const before = readdirSync(at("."));
    concatenator.anticipate(at("work"));
    await concatenator.giveUp();
    expect(readdirSync(at("."))).toEqual(before);
  });
});

describe("a task that needs some outputs of another only", () => {
  it("does not run again when the others change, and does when its own do", async () => {
    const root = workspace({ "large.txt": "first part, and the end" });
    const noted = task({
      name: "noted",
      description: "reads the note",
      needs: { base: only(base, "note") },
      outputs: { copy: out.artifact("note.txt") },
      async run({ needs, outputs }) {
        expect(Object.keys(needs.base)).toEqual(["note"]);
        await writeFile(outputs.copy, await readFile(needs.base.note));
      },
    });
    expect((await run(root, [noted])).outcomes).toMatchObject({ "noted@dev": expect.stringMatching(ran) });
    await writeFile(path.join(root, "large.txt"), "another part, and the end");
    expect((await run(root, [noted])).outcomes).toMatchObject({
      "base@dev": expect.stringMatching(ran),
      "noted@dev": "fresh",
    });
    await writeFile(path.join(root, "large.txt"), "another part, another end");
    expect((await run(root, [noted])).outcomes).toMatchObject({ "noted@dev": expect.stringMatching(ran) });
    expect(await readFile(path.join(root, "note.txt"), "utf8")).toBe("ther end");
  });
});
