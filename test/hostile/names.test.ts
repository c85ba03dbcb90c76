/** Names in archives that would do something to the terminal that shows them: `task size` and `task diff` by the real command. */
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { cpioArchive } from "./raw-cpio.ts";
import { directoryBytes, rawIso, sectorSize } from "./raw-iso.ts";

const workspace = useWorkspace();
const evil = "\u001b[31mRED\u001b]0;pwn\u0007\u009b2J\u202etxt";
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is control characters that are looked for
const acts = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/;

/** A Core ISO with a file of this name at its top; its initrd has more such names. */
function hostileIso(content: string): Buffer {
  const core = cpioArchive([
    { name: "tmp", mode: 0o040755 },
    ...["tmp/builtin", "tmp/builtin/optional"].map((name) => ({ name, mode: 0o040755 })),
    { name: `tmp/builtin/optional/${evil}x.tcz`, content },
    { name: evil, mode: 0o040755 },
    { name: `${evil}/${evil}`, content: "some text\n" },
    { name: "link", mode: 0o120777, content: `${evil}${content}` },
  ]);
  const size = sectorSize;
  const root = [
    { name: "boot", sector: 19, size, directory: true },
    { name: `F${evil}`, sector: 0, size: 0 },
  ];
  return rawIso(
    { sector: 18, size },
    new Map([
      [18, directoryBytes({ sector: 18, size }, root)],
      [19, directoryBytes({ sector: 19, size }, [{ name: "core.gz", sector: 20, size: core.length }])],
      [20, core],
    ]),
  );
}

function runTask(...words: readonly string[]) {
  return spawnSync(process.execPath, [path.join(checkout, "bin/task.js"), ...words], {
    ...{ cwd: checkout, encoding: "utf8", env: { ...process.env, FORCE_COLOR: "1" } },
  });
}

describe("an archive's names, with colours on,", () => {
  const [one, other] = [() => workspace.path(`one ${evil}.iso`), () => workspace.path("other.iso")];
  beforeAll(async () => {
    await writeFile(one(), hostileIso("one"));
    await writeFile(other(), hostileIso(`two\n${evil}\n`));
  });

  it("are shown as escapes by size: files, directories and extensions", () => {
    const { status, stdout, stderr } = runTask("size", one());
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).not.toMatch(acts);
    for (const row of [
      "F\\x1b[31mRED",
      "\\x1b[31mRED\\x1b]0;pwn\\x07\\u009b2J\\u202etxtx",
      "layer 1, with",
    ]) {
      expect(stdout).toContain(row);
    }
  });

  it("are shown as escapes by diff, with lines, link targets and the names of the files themselves", () => {
    const { status, stdout, stderr } = runTask("diff", one(), other());
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).not.toMatch(acts);
    expect(stdout).toContain("\\x1b[31mRED");
  });

  it("mean the same in JSON", () => {
    const { stdout } = runTask("size", "--json", one());
    expect(stdout).not.toMatch(acts);
    expect(JSON.parse(stdout).beside).toContainEqual(expect.objectContaining({ name: `F${evil}` }));
  });

  it("are shown as escapes by the error about a file", () => {
    const { status, stderr } = runTask("diff", workspace.path(`no ${evil}`), other());
    expect(status).toBe(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of the error itself
    expect(stderr.replace(/\u001b\[(?:2|22|31|39)m/g, "")).not.toMatch(acts);
    expect(stderr).toContain("\\x1b[31mRED");
  });
});
