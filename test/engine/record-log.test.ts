/** A log of records keeps what was written to it, and whatever is damaged in it costs one record and makes no wrong one. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { RecordLog } from "../../src/engine/files/record-log.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Two builds' worth of records, one of them overwritten. */
const records: ReadonlyMap<string, string> = new Map([
  ["current one", "first"],
  ["/a path/Größe 😀", "1:2:3 abc"],
  ["empty", "x"],
  ["current two", "second"],
]);

function written(finish: (log: RecordLog) => void): string {
  const directory = mkdtempSync(path.join(tmpdir(), "record log "));
  directories.push(directory);
  const file = path.join(directory, "log");
  for (const keys of [
    ["current one", "/a path/Größe 😀"],
    ["empty", "current two"],
  ]) {
    const log = new RecordLog(file);
    for (const key of keys) {
      log.set(key, "before");
      log.flush();
      log.set(key, records.get(key) ?? "");
    }
    log.flush();
    finish(log);
  }
  return file;
}

const ways = {
  "that was sealed": (log: RecordLog) => log.seal(),
  "that was never sealed": () => {},
  "that was rewritten": (log: RecordLog) => log.compact(),
} as const;

describe("a log", () => {
  for (const [what, finish] of Object.entries(ways)) {
    it(`${what} gives back the last value of each key`, () => {
      const file = written(finish);
      const log = new RecordLog(file);
      expect(new Map(log.entries())).toEqual(records);
      expect(log.damage).toEqual({ damagedLines: 0, foreign: false });
    });

    it(`${what} loses no more than the damaged line to a flipped bit, and has no wrong one`, () => {
      const file = written(finish);
      const whole = readFileSync(file);
      for (let at = "razor-mk-state 1\n".length; at < whole.length; at += 1) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ 4;
        writeFileSync(file, damaged);
        const log = new RecordLog(file);
        const found = new Map(log.entries());
        const lost = [...records].filter(([key, value]) => found.get(key) !== value);
        // Without its line feed a line and the next one are both damaged.
        expect(lost.length, `byte ${at}`).toBeLessThanOrEqual(whole[at] === 0x0a ? 2 : 1);
        // What was overwritten is all that may come back in its place.
        for (const [key] of lost) expect(["before", undefined]).toContain(found.get(key));
        for (const key of found.keys()) expect(records.has(key)).toBe(true);
      }
    });

    it(`${what} goes on where another process left it`, () => {
      const file = written(finish);
      const line = readFileSync(file, "utf8")
        .split("\n")
        .find((text) => text.endsWith("current one\tbefore"));
      appendFileSync(file, `${line ?? "5555"}\n`);
      const log = new RecordLog(file);
      log.set("current three", "third");
      log.flush();
      log.seal();
      const again = new RecordLog(file);
      expect(again.get("current three")).toBe("third");
      expect(again.get("current two")).toBe("second");
      expect(again.damage.foreign).toBe(false);
    });
  }

  it("of many megabytes, with characters of every length, is the same when it was sealed", () => {
    const file = written(() => {});
    const log = new RecordLog(file);
    const many = new Map(
      Array.from({ length: 9000 }, (_, index) => [`/ä€😀/${index}`, "é".repeat(index % 300)] as const),
    );
    for (const [key, value] of many) log.set(key, value);
    log.flush();
    log.seal();
    const again = new RecordLog(file);
    for (const [key, value] of many) expect(again.get(key)).toBe(value || undefined);
  });
});
