/** Libraries that programs ask for, read as readelf reads them. */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readElfMachine, readNeededLibraries } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("readelf");

/** The smallest 32-bit file with a dynamic section that names these libraries. */
function small32(libraries: readonly string[]): Buffer {
  const header = 52;
  const segment = 32;
  const start = header + 2 * segment;
  const entries = libraries.length + 2;
  const strings = start + entries * 8;
  const address = 0x8048000;
  const text = Buffer.from(`\0${libraries.map((name) => `${name}\0`).join("")}`, "latin1");
  const bytes = Buffer.alloc(strings + text.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  bytes.writeUInt32LE(header, 28);
  bytes.writeUInt16LE(segment, 42);
  bytes.writeUInt16LE(2, 44);
  const put = (at: number, words: readonly number[]): void => {
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, at + index * 4);
  };
  put(header, [1, 0, address, address, bytes.length, bytes.length, 5, 4096]);
  put(header + segment, [2, start, address + start, address + start, entries * 8, entries * 8, 6, 4]);
  let offset = 1;
  for (const [index, name] of libraries.entries()) {
    put(start + index * 8, [1, offset]);
    offset += name.length + 1;
  }
  put(start + libraries.length * 8, [5, address + strings]);
  bytes.set(text, strings);
  return bytes;
}

describe("the machine that a file is for", () => {
  it("is what readelf says", () => {
    const bytes = readFileSync(process.execPath).subarray(0, 64);
    const said = execFileSync("readelf", ["-h", process.execPath], { encoding: "utf8" });
    const names: Readonly<Record<number, RegExp>> = {
      3: /Intel 80386/,
      62: /X86-64/,
      40: /ARM/,
      183: /AArch64/,
    };
    expect(/Machine:\s+(.*)/.exec(said)?.[1]).toMatch(names[readElfMachine(bytes) ?? 0] ?? /^$/);
  });

  it("is nobody's when it is a script, cut off, or of big-endian byte order", () => {
    const big = Buffer.from(small32([]));
    big[5] = 2;
    for (const bytes of [
      Buffer.from("#!/bin/sh\n# long enough for a header\n"),
      small32([]).subarray(0, 19),
      big,
    ]) {
      expect(readElfMachine(bytes)).toBeUndefined();
    }
  });
});

describe("the libraries that a program needs", () => {
  it.each(["sh", "tar", "xorriso", "openssl"])("are what readelf says of %s", (name) => {
    const found = execFileSync("sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" }).trim();
    const program = realpathSync(found);
    const said = execFileSync("readelf", ["-d", program], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    const wanted = [...said.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map(([, library]) => library);
    expect(wanted.length).toBeGreaterThan(0);
    expect(readNeededLibraries(readFileSync(program), program)).toEqual(wanted);
  });

  it("are read from 32-bit programs too", () => {
    const libraries = ["libblkid.so.1", "libc.so.6"];
    expect(readNeededLibraries(small32(libraries), "small")).toEqual(libraries);
  });

  it("are none of a script", () => {
    expect(readNeededLibraries(Buffer.from("#!/bin/sh\n"), "script")).toBeUndefined();
    expect(readNeededLibraries(Buffer.alloc(0), "empty")).toBeUndefined();
  });

  it("cannot be told of a file that is cut off, and the message names it", () => {
    const whole = small32(["libc.so.6"]);
    for (let size = 4; size < whole.length; size += 1) {
      expect(() => readNeededLibraries(whole.subarray(0, size), "usr/sbin/cut")).toThrow(
        expect.objectContaining({ code: "bad-elf", where: "usr/sbin/cut" }),
      );
    }
  });
});
