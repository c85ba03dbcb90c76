/** How far downloads are, on terminals of every width. */
import { expect, it } from "vitest";
import { progressText } from "../../src/cli/progress-text.ts";
import type { Progress } from "../../src/engine/index.ts";

const items: readonly Progress[] = [
  { item: "ruby.tcz", done: 6_000_000, total: 8_000_000, unit: "bytes" },
  { item: "bash.tcz", done: 500_000, total: 1_000_000, unit: "bytes" },
  { item: "waits.tcz", done: 0, total: 3_500_000, unit: "bytes" },
  { item: "here.tcz", done: 500_000, total: 500_000, unit: "bytes" },
];
const show = (room: number, of = items) => progressText(of, { seconds: 3.5, expected: undefined, room });

it("the bar is of all that was planned, and the names are of what comes just now", () => {
  expect(show(100)).toBe("███████████░░░░░░░░░ 7.0 MB of 13.0 MB, 2.0 MB/s, 3 s left: ruby.tcz, bash.tcz");
});

it("the narrower the terminal is the less is said, and nothing is cut in the middle of a figure", () => {
  expect(show(62)).toBe("███████████░░░░░░░░░ 7.0 MB of 13.0 MB, 2.0 MB/s, 3 s left");
  expect(show(50)).toBe("█████░░░░░ 7.0 MB of 13.0 MB, 2.0 MB/s, 3 s left");
  expect(show(47)).toBe("7.0 MB of 13.0 MB, 2.0 MB/s, 3 s left: ruby.tc…");
  expect(show(28)).toBe("7.0 MB of 13.0 MB, 2.0 MB/s");
  expect(show(20)).toBe("7.0 MB of 13.0 MB");
  expect(show(9)).toBe("53 %");
  expect(show(3)).toBe("");
});

it("no line is longer than its room, and no bar where the whole is not known", () => {
  const unknown: readonly Progress[] = [...items, { item: "core.iso", done: 1, unit: "bytes" }];
  for (let room = -3; room < 130; room += 1) {
    for (const of of [items, unknown, []]) {
      for (const expected of [undefined, 20]) {
        const text = progressText(of, { seconds: 3.5, expected, room });
        expect(text.length, `${room}: ${text}`).toBeLessThanOrEqual(Math.max(0, room));
        if (of === unknown) expect(text).not.toContain("█");
      }
    }
  }
});

it("a step that does not say how far it is shows what is left of its last time", () => {
  expect(progressText([], { seconds: 5, expected: 20, room: 60 })).toBe(
    "█████░░░░░░░░░░░░░░░ about 15 s left",
  );
  expect(progressText([], { seconds: 25, expected: 20, room: 60 })).toBe("");
});
