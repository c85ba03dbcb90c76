/** Where the bytes of an ISO are said to be. */
import { createHash } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree, joinLayers, writeIso, writeLayer } from "../../src/formats/index.ts";
import { measureIso, packedAt } from "../../tasks/image/size-report.ts";
import { useWorkspace } from "../formats/workspace.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;

/** Bytes that no compression makes fewer, the same each time. */
function noise(size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
    createHash("sha256").update(`${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

describe("the sizes of an ISO", () => {
  it("add up to the ISO, tell layers apart, and share a layer's bytes fairly among its files", async () => {
    const root = workspace.path("root");
    await mkdir(`${root}/boot`, { recursive: true });
    const lower = new FileTree()
      .addFile("tmp/builtin/optional/large.tcz", bytesContent(noise(900_000)), { mtime })
      .addFile("tmp/builtin/optional/large.tcz.dep", bytesContent("small.tcz\n"), { mtime })
      .addFile("usr/share/words/text", bytesContent("the same words again and again ".repeat(30_000)), {
        mtime,
      })
      .ensureParents({ mtime });
    const upper = new FileTree()
      .addFile("etc/plain", bytesContent("x".repeat(1000)), { mtime })
      .ensureParents({ mtime });
    const layers = [workspace.path("lower.gz"), workspace.path("upper.cpio")];
    await writeLayer(lower, layers[0] ?? "");
    await writeLayer(upper, layers[1] ?? "", { level: "none" });
    await joinLayers(layers, `${root}/boot/core.gz`);
    const iso = workspace.path("sized.iso");
    await writeIso(workspace.$, {
      ...{ root, out: iso, epoch: mtime, volumeId: "SIZES", applicationId: "TEST", systemId: "LINUX" },
    });
    const { size } = await stat(iso);
    const report = await measureIso(iso, size, workspace.path("scratch"));

    expect(report.layers.map(({ name, files, before, largest }) => [name, files, before, largest])).toEqual([
      ["layer 1", 3, 900_010 + 930_000, "usr/share/words/text"],
      ["layer 2", 1, 1000, "etc/plain"],
    ]);
    const packed = await Promise.all(layers.map(async (layer) => (await stat(layer)).size));
    expect(report.layers.map(({ after }) => after)).toEqual(packed);
    expect(report.iso.bytes).toBe(size);
    expect(report.iso.rest + packed.reduce((sum, one) => sum + one)).toBe(size);

    const [extension] = report.extensions;
    expect(extension).toMatchObject({ name: "large", files: 2, before: 900_010 });
    // To a window of 256 KiB of content, in which bytes are shared out evenly.
    expect(Math.abs((extension?.after ?? 0) - 900_000)).toBeLessThan(80_000);
    const directory = (name: string) =>
      report.directories.find((row) => row.name === name)?.after ?? Number.NaN;
    expect(directory("etc")).toBe(1000);
    expect(directory("usr/share")).toBeLessThan(150_000);
    expect(report.directories[0]?.name).toBe("tmp/builtin");
  });

  it("take a place between two points for as far on in both", () => {
    const points = [
      { unpacked: 100, packed: 10 },
      { unpacked: 200, packed: 60 },
      { unpacked: 300, packed: 70 },
    ];
    const member = { compression: "gzip", points } as const;
    expect([0, 50, 100, 150, 200, 300, 400].map((at) => packedAt(member, at))).toEqual([
      0, 5, 10, 35, 60, 70, 70,
    ]);
    expect(packedAt({ compression: "none", points: [] }, 123)).toBe(123);
  });
});
