/** Where in a packed member its contents lie. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { bytesContent, FileTree, noLimits, readInitrd, writeLayers } from "../../src/formats/index.ts";
import { useWorkspace } from "./workspace.ts";

const workspace = useWorkspace();

it("is the same each time that the member is read", async () => {
  const packed = workspace.path("packed.cpio.gz");
  const tree = new FileTree();
  for (let index = 0; index < 40; index += 1) {
    const text = randomBytes(100_000 * (index % 4)).toString("base64");
    tree.addFile(`file-${index}`, bytesContent(Buffer.from(text)), { mtime: 0 });
  }
  await writeLayers([tree], packed, { level: 1 });
  const pointsOnce = async (turn: number) => {
    const spoolDir = workspace.path(`spool ${turn}`);
    const [member] = await readInitrd(packed, { spoolDir, limits: noLimits });
    return member?.points ?? [];
  };
  const first = await pointsOnce(0);
  expect(first.length).toBeGreaterThan(10);
  for (let turn = 1; turn <= 5; turn += 1) expect(await pointsOnce(turn)).toEqual(first);
});
