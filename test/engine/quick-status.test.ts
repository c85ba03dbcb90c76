import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { quickLook } from "../../src/engine/quick-status.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "quick status "));
});
afterEach(() => rmSync(root, { recursive: true }));

function signatureOf(file: string): string {
  const { size, mtimeNs, ctimeNs, ino, mode } = lstatSync(file, { bigint: true });
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}:${mode}`;
}

it("sees of files, folders and links what Node's public function sees, to the nanosecond, or leaves it to that", () => {
  const names = ["a file", "old", "odd", "folder", "link"].map((name) => path.join(root, name));
  const [file = "", old = "", odd = "", folder = "", link = ""] = names;
  for (const name of [file, old, odd]) writeFileSync(name, "text");
  mkdirSync(folder);
  symlinkSync("nowhere", link);
  utimesSync(old, 1, 1.000_001);
  utimesSync(odd, 1_700_000_000.000_001, 1_700_000_000.000_001);
  const warned = (process.env.NODE_OPTIONS ?? "").includes("pending-deprecation");
  const isQuick = [20, 22, 24, 26].includes(Number.parseInt(process.versions.node, 10)) && !warned;
  const look = quickLook(file);
  for (const name of names) {
    const { mode, size } = lstatSync(name);
    expect(look(name)).toEqual(isQuick ? { signature: signatureOf(name), mode, size } : undefined);
  }
  expect(look(path.join(root, "nothing"))).toBeUndefined();
  expect(look(path.join(file, "below a file"))).toBeUndefined();
});

it("leaves times before the first second of the epoch, and whatever it was not tried with, to the public function", () => {
  const file = path.join(root, "file");
  writeFileSync(file, "text");
  const look = quickLook(file);
  utimesSync(file, 0.5, 0.5);
  expect(look(file)).toBeUndefined();
  expect(quickLook(path.join(root, "nothing"))(file)).toBeUndefined();
});
