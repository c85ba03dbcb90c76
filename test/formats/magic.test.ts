import { open, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  bytesContent,
  FileTree,
  sniff,
  sniffLength,
  writeIso,
  writeLayer,
  writeTarball,
} from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("ar", "bzip2", "xz");

const workspace = useWorkspace();

async function sniffFile(path: string) {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sniffLength), 0, sniffLength, 0);
    return sniff(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

describe("what a file is", () => {
  test("is seen from the first bytes of what real tools write", async () => {
    const path = (name: string) => workspace.path(name);
    const { $ } = workspace;
    const tree = new FileTree().addFile("file", bytesContent("text"), { mtime: 0 });
    await writeTarball(tree, path("a.tar"), { level: "none" });
    await writeTarball(new FileTree().addFile("metadata.gz", bytesContent(""), { mtime: 0 }), path("a.gem"), {
      level: "none",
    });
    await writeLayer(tree, path("a.cpio"), { level: "none" });
    await writeLayer(tree, path("a.gz"));
    await $`mkdir directory && xz -k a.tar && bzip2 -k a.tar && echo text > directory/text`;
    await $`ar qc a.deb a.tar && cp a.deb b.deb`;
    await writeFile(path("debian-binary"), "2.0\n");
    await $`rm a.deb && ar qc a.deb debian-binary a.tar`;
    await writeIso($, {
      root: path("directory"),
      out: path("a.iso"),
      volumeId: "A",
      applicationId: "",
      systemId: "",
      epoch: 0,
    });
    const expected = {
      "a.tar": "tar",
      "a.gem": "gem",
      "a.cpio": "cpio",
      "a.gz": "gzip",
      "a.tar.xz": "xz",
      "a.tar.bz2": "bzip2",
      "a.deb": "deb",
      "b.deb": "unknown",
      "a.iso": "iso9660",
      "directory/text": "unknown",
    };
    for (const [name, magic] of Object.entries(expected))
      expect(await sniffFile(path(name)), name).toBe(magic);
  });

  test("is a page when a portal answers instead of the mirror", () => {
    for (const page of [
      "<!DOCTYPE html><html>",
      "\n  <HTML><body>",
      "\ufeff<!-- hello\n--> <!doctype HTML>",
      '<?xml version="1.0"?><html>',
    ]) {
      expect(sniff(Buffer.from(page)), page).toBe("html");
    }
    for (const other of ["", "a < b", "<htmlish>", "\0<html>"])
      expect(sniff(Buffer.from(other))).toBe("unknown");
  });
});
