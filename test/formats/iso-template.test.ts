/** An ISO that is joined of a skeleton and contents, beside one that is written as a whole. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeIso, writeIsoTemplate } from "../../src/formats/index.ts";
import { createShell, ProcessGroups, type Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("xorriso");

describe("an ISO that is joined", () => {
  let directory = "";
  let $: Shell;
  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "razor mk skeleton "));
    $ = await createShell({ cwd: directory, groups: new ProcessGroups() });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("has the bytes of one that is written as a whole, whatever is put into the gaps", async () => {
    const root = path.join(directory, "root");
    mkdirSync(path.join(root, "boot"), { recursive: true });
    writeFileSync(path.join(root, "boot/kernel"), Buffer.alloc(70_000, "kernel"));
    writeFileSync(path.join(root, "COPYING"), "text\n");
    const common = {
      root,
      volumeId: "Test",
      applicationId: "TEST",
      systemId: "LINUX",
      epoch: 1_600_000_000,
    };
    const size = 3 * 2048;
    const head = path.join(directory, "head");
    const tail = path.join(directory, "tail");
    await writeIsoTemplate($, {
      ...common,
      gaps: [
        { path: "boot/initrd", size },
        { path: "about.yaml", size: 12 },
      ],
      scratch: path.join(directory, "scratch.iso"),
      head,
      tail,
    });
    for (const letter of ["a", "b"]) {
      const [initrd, about] = [
        Buffer.alloc(size, letter),
        Buffer.from(`about: ${letter}${letter}${letter}\n\n`),
      ];
      const joined = Buffer.concat([readFileSync(head), initrd, about, readFileSync(tail)]);
      writeFileSync(path.join(root, "boot/initrd"), initrd);
      writeFileSync(path.join(root, "about.yaml"), about);
      const out = path.join(directory, "whole.iso");
      await writeIso($, { ...common, out, last: ["boot/initrd", "about.yaml"] });
      expect(joined.equals(readFileSync(out))).toBe(true);
      writeFileSync(out, joined);
      const read = path.join(directory, `read ${letter}`);
      execFileSync("xorriso", ["-osirrox", "on", "-indev", out, "-extract", "/boot/initrd", read], {
        stdio: "ignore",
      });
      expect(readFileSync(read).equals(initrd)).toBe(true);
    }
  });
});
