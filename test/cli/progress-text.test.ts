/** How far downloads are, on terminals of every width. */
import { expect, it } from "vitest";
import { progressText } from "../../src/cli/output/progress-text.ts";
import { RateMeter } from "../../src/cli/output/rate-meter.ts";
import type { Progress } from "../../src/engine/index.ts";

const items: readonly Progress[] = [
  { item: "ruby.tcz", done: 6_000_000, total: 8_000_000, unit: "bytes" },
  { item: "bash.tcz", done: 500_000, total: 1_000_000, unit: "bytes" },
  { item: "waits.tcz", done: 0, total: 3_500_000, unit: "bytes" },
  { item: "here.tcz", done: 500_000, total: 500_000, unit: "bytes" },
];
const show = (room: number, of = items) =>
  progressText(of, { seconds: 3.5, rate: 2_000_000, expected: undefined, room });

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
        const text = progressText(of, { seconds: 3.5, rate: 7, expected, room });
        expect(text.length, `${room}: ${text}`).toBeLessThanOrEqual(Math.max(0, room));
        if (of === unknown) expect(text).not.toContain("█");
      }
    }
  }
});

it("a step that does not say how far it is shows what is left of its last time", () => {
  expect(progressText([], { seconds: 5, rate: undefined, expected: 20, room: 60 })).toBe(
    "█████░░░░░░░░░░░░░░░ about 15 s left",
  );
  expect(progressText([], { seconds: 25, rate: undefined, expected: 20, room: 60 })).toBe("");
});

it("long times are told in minutes, hours and days, and none while nothing comes", () => {
  const at = (rate: number | undefined) =>
    progressText(items, { seconds: 3.5, rate, expected: undefined, room: 62 }).replace(
      /^\S+ |: ruby.*$/g,
      "",
    );
  expect(at(undefined)).toBe("7.0 MB of 13.0 MB");
  expect(at(61_000)).toBe("7.0 MB of 13.0 MB, 61.0 kB/s, 99 s left");
  expect(at(50_000)).toBe("7.0 MB of 13.0 MB, 50.0 kB/s, 2 min left");
  expect(at(1000)).toBe("7.0 MB of 13.0 MB, 1.0 kB/s, 1 h 40 min left");
  expect(at(100)).toBe("7.0 MB of 13.0 MB, 100 B/s, 16 h left");
  expect(at(1)).toBe("7.0 MB of 13.0 MB, 1 B/s, 69 days left");
  const expected = { seconds: 5, rate: undefined, expected: 3000, room: 60 };
  expect(progressText([], expected)).toContain("about 50 min left");
});

it("the rate is that of the last seconds, whatever came before and however long nothing had come", () => {
  const meter = new RateMeter();
  const rates: (number | undefined)[] = [];
  const add = (at: number, done: number): void => {
    meter.add(at, done);
    rates.push(meter.rate);
  };
  // Nothing for a minute, then a megabyte a second, then nothing again.
  for (let at = 0; at < 60; at += 0.1) add(at, 0);
  expect(new Set(rates)).toEqual(new Set([undefined]));
  for (let second = 1; second <= 20; second += 1) add(60 + second, second * 1_000_000);
  expect(meter.rate).toBeCloseTo(1_000_000, -4);
  for (let second = 1; second <= 7; second += 1) add(80 + second, 20_000_000);
  expect(meter.rate).toBeUndefined();
  // A download that begins anew is no negative rate.
  add(90, 5);
  add(91, 1005);
  expect(meter.rate).toBe(1000);
});
