import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  formatLock,
  type Lock,
  type LockLine,
  linesOf,
  parseLock,
  pinLines,
  readLock,
} from "../../src/fetch/index.ts";

const digest = (digit: string) => digit.repeat(64);
const bash: LockLine = {
  url: "http://m/4.x/x86/tcz/bash.tcz",
  size: 7,
  sha256: digest("a"),
  md5: "b".repeat(32),
  etag: 'W/"x"',
  lastModified: "Mon, 01 Jan 2001 00:00:00 GMT",
  deps: ["readline.tcz"],
};
const lock: Lock = new Map([
  [
    "tinycore",
    new Map<string, LockLine>([
      ["ruby.tcz", bash],
      ["bash.tcz", bash],
    ]),
  ],
  ["other", new Map<string, LockLine>([["x.info", { url: "http://m/x.info", absent: true }]])],
]);

describe("the lock", () => {
  it("is one line for an artifact, in byte order, the same however it was put together", () => {
    const text = formatLock(lock);
    expect(text.split("\n").filter((line) => line.includes('bash.tcz":'))).toHaveLength(1);
    expect(text.indexOf('"other"')).toBeLessThan(text.indexOf('"tinycore"'));
    expect(text.indexOf('"bash.tcz"')).toBeLessThan(text.indexOf('"ruby.tcz"'));
    const shuffled: Lock = new Map(
      [...lock].reverse().map(([name, lines]) => [name, new Map([...lines].reverse())]),
    );
    expect(formatLock(shuffled)).toBe(text);
    expect(text).toMatchInlineSnapshot(`
      "{
        "version": 1,
        "sources": {
          "other": {
            "x.info": {"url":"http://m/x.info","absent":true}
          },
          "tinycore": {
            "bash.tcz": {"url":"http://m/4.x/x86/tcz/bash.tcz","size":7,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","md5":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","etag":"W/\\"x\\"","lastModified":"Mon, 01 Jan 2001 00:00:00 GMT","deps":["readline.tcz"]},
            "ruby.tcz": {"url":"http://m/4.x/x86/tcz/bash.tcz","size":7,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","md5":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","etag":"W/\\"x\\"","lastModified":"Mon, 01 Jan 2001 00:00:00 GMT","deps":["readline.tcz"]}
          }
        }
      }
      "
    `);
  });

  it("reads back as what was written", () => {
    expect(formatLock(parseLock(formatLock(lock), "l"))).toBe(formatLock(lock));
    expect(formatLock(parseLock(formatLock(new Map()), "l"))).toBe(formatLock(new Map()));
  });

  it("never holds credentials", () => {
    const secret: Lock = new Map([["s", new Map([["a", { ...bash, url: "http://me:s3cret@m/a" }]])]]);
    expect(formatLock(secret)).not.toContain("s3cret");
    expect(formatLock(secret)).not.toContain("me:");
  });

  it("that is damaged is an error with file and line", () => {
    const text = formatLock(lock);
    const line = (part: string) => text.split("\n").findIndex((one) => one.includes(part)) + 1;
    const cases: readonly (readonly [string, number])[] = [
      [text.replace('"size":7', '"size":-7'), line('"bash.tcz":')],
      [text.replace(digest("a"), "zz"), line('"bash.tcz":')],
      [text.replace('"ruby.tcz":', '"../ruby.tcz":'), line('"ruby.tcz":')],
      [text.replace('"ruby.tcz": {', '"ruby.tcz": ['), line('"ruby.tcz":')],
      [text.replace('"version": 1', '"version": 99'), 2],
      ["[]", 1],
      ["", 1],
      ['{"version":1}', 1],
      [`{\n<<<<<<< HEAD\n=======\n>>>>>>> x\n}`, 2],
      [text.slice(0, text.indexOf('"ruby.tcz"') + 20), line('"ruby.tcz":')],
    ];
    for (const [damaged, at] of cases) {
      expect(() => parseLock(damaged, "lists/sources.lock.json"), damaged).toThrow(
        expect.objectContaining({ code: "bad-lock", where: `lists/sources.lock.json:${at}` }),
      );
    }
  });

  it("is only written when it says something new, whole or not at all", async () => {
    const dir = await mkdtemp(path.join(tmpdir(), "razor mk lock "));
    try {
      const file = path.join(dir, "sources.lock.json");
      expect(readLock(file)).toEqual(new Map());
      for (const [source, lines] of lock) pinLines(file, source, lines);
      expect(await readFile(file, "utf8")).toBe(formatLock(lock));
      const before = await stat(file);
      pinLines(file, "tinycore", new Map([["bash.tcz", bash]]));
      expect((await stat(file)).ino).toBe(before.ino);
      expect(formatLock(readLock(file))).toBe(await readFile(file, "utf8"));
      expect(await readdir(dir)).toEqual(["sources.lock.json"]);
      await writeFile(file, "{");
      expect(() => readLock(file, "lists/l.json")).toThrow(
        expect.objectContaining({ where: "lists/l.json:1" }),
      );
      expect(() => pinLines(file, "other", new Map([["a", bash]]))).toThrow();
      expect(await readFile(file, "utf8")).toBe("{");
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it("keeps the sources apart", async () => {
    const dir = await mkdtemp(path.join(tmpdir(), "razor mk lock "));
    try {
      const file = path.join(dir, "sources.lock.json");
      await writeFile(file, formatLock(lock));
      pinLines(
        file,
        "tinycore",
        new Map([
          ["ruby.tcz", undefined],
          ["new.tcz", bash],
        ]),
      );
      const changed = readLock(file);
      expect([...linesOf(changed, "tinycore").keys()]).toEqual(["bash.tcz", "new.tcz"]);
      expect(linesOf(changed, "other")).toEqual(linesOf(lock, "other"));
      expect(linesOf(changed, "none").size).toBe(0);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
