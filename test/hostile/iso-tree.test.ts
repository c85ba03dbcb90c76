/** ISOs with hostile directories. */
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { readIsoStructure, readIsoTree, type UnpackLimits } from "../../src/formats/index.ts";
import { limitSettings } from "../../tasks/settings/limit-options.ts";
import { useWorkspace } from "../formats/workspace.ts";
import {
  bothEndian,
  directoryBytes,
  overlappingDirectories,
  type RawRecord,
  rawIso,
  sectorSize,
  suspStart,
  systemUseEntry,
} from "./raw-iso.ts";

const workspace = useWorkspace();

/** The error that reading the ISO ends with. */
async function refusal(bytes: Buffer, limits: UnpackLimits = {}): Promise<UserError> {
  const iso = workspace.path("hostile.iso");
  await writeFile(iso, bytes);
  const error: unknown = await readIsoTree(iso, { ...limits, settings: limitSettings }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error("it was read, or failed inside", { cause: error });
  return error;
}

/** An ISO with a root of these records, and of other sectors. */
function isoOf(
  records: readonly RawRecord[],
  others: ReadonlyMap<number, Buffer> = new Map(),
  own?: Buffer,
): Buffer {
  const size = directoryBytes({ sector: 18, size: 0 }, records, own).length;
  const root = { sector: 18, size };
  return rawIso(root, new Map([[18, directoryBytes(root, records, own)], ...others]));
}

describe("a directory's place on an ISO", () => {
  it("belongs to one directory: overlapping ones are refused at the second, by name", async () => {
    const before = process.resourceUsage().maxRSS;
    const { code, message } = await refusal(overlappingDirectories(1500));
    expect([code, message]).toEqual(["bad-iso", "the ISO is damaged: D0 shares its sectors with the root"]);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);
  });

  it("is not taken by two directories side by side, either", async () => {
    const empty = directoryBytes({ sector: 20, size: sectorSize }, []);
    const twin = { sector: 20, size: sectorSize, directory: true };
    const { message } = await refusal(
      isoOf(
        [
          { name: "A", ...twin },
          { name: "B", ...twin },
        ],
        new Map([[20, empty]]),
      ),
    );
    expect(message).toBe("the ISO is damaged: B shares its sectors with A");
  });

  it("may be deep in others down to a limit that the error names, and the option for it", async () => {
    const depth = 200;
    const sectors = new Map<number, Buffer>();
    for (let index = 0; index < depth; index++) {
      const self = { sector: 20 + index, size: sectorSize };
      const next = { name: "D", sector: 21 + index, size: sectorSize, directory: true };
      sectors.set(20 + index, directoryBytes(self, index + 1 < depth ? [next] : []));
    }
    const bytes = isoOf([{ name: "D", sector: 20, size: sectorSize, directory: true }], sectors);
    const { code, message, hint } = await refusal(bytes);
    expect([code, message]).toEqual(["bomb", "the archive contains directories nested more than 128 deep"]);
    expect(hint).toContain("--max-depth");
    await writeFile(workspace.path("deep.iso"), bytes);
    expect((await readIsoTree(workspace.path("deep.iso"), { maxDepth: 1000 })).size).toBe(depth);
  });
});

describe("an ISO is refused by name", () => {
  it("when its descriptor has no root", async () => {
    const { code, message } = await refusal(rawIso(undefined, new Map()));
    expect([code, message]).toEqual([
      "bad-iso",
      "the ISO is damaged: its root has no record in the volume descriptor",
    ]);
  });

  it("when it holds more entries than the limit", async () => {
    const records = Array.from({ length: 50 }, (_, index) => ({ name: `F${index}`, sector: 0, size: 0 }));
    const { code, message, hint } = await refusal(isoOf(records), { maxEntries: 40 });
    expect([code, message]).toEqual(["bomb", "the archive contains more than 40 entries"]);
    expect(hint).toContain("--max-entries");
  });

  it("when its files overlap and so are many times the ISO", async () => {
    const large = Buffer.alloc(2 * 1024 * 1024);
    const records = Array.from({ length: 200 }, (_, index) => ({
      ...{ name: `F${index}`, sector: 100, size: large.length },
    }));
    const { code, hint } = await refusal(isoOf(records, new Map([[100, large]])));
    expect(code).toBe("bomb");
    expect(hint).toContain("--max-unpacked");
  });

  it("when entries go on outside their sector, or again and again in the same place", async () => {
    const goesOn = (offset: number, length: number) => systemUseEntry("CE", bothEndian(30, offset, length));
    const named = (systemUse: Buffer, index: number) => ({
      name: `F${index}`,
      sector: 0,
      size: 0,
      systemUse,
    });
    const away = isoOf([named(goesOn(2000, 4096), 0)], new Map([[30, Buffer.alloc(sectorSize)]]), suspStart);
    expect((await refusal(away)).message).toContain("with a damaged continuation");
    const again = Buffer.concat([goesOn(0, sectorSize), Buffer.alloc(sectorSize)]).subarray(0, sectorSize);
    const records = Array.from({ length: 30 }, (_, index) => named(goesOn(0, sectorSize), index));
    expect((await refusal(isoOf(records, new Map([[30, again]]), suspStart))).message).toContain(
      "with a damaged continuation",
    );
  });

  it("when a Joliet name is half a character, a path is longer than Linux allows, or a link is", async () => {
    const component = (text: string): Buffer => Buffer.from([0, text.length, ...Buffer.from(text)]);
    const part = systemUseEntry("SL", Buffer.concat([Buffer.from([0]), component("x".repeat(190))]));
    const area = (entries: number): Buffer => Buffer.concat(Array.from({ length: entries }, () => part));
    const sectors = new Map(
      [30, 31, 32].map(
        (at, index) =>
          [
            at,
            Buffer.concat([
              area(9),
              ...(index < 2 ? [systemUseEntry("CE", bothEndian(at + 1, 0, sectorSize))] : []),
              Buffer.alloc(sectorSize),
            ]).subarray(0, sectorSize),
          ] as const,
      ),
    );
    const systemUse = systemUseEntry("CE", bothEndian(30, 0, sectorSize));
    const { message } = await refusal(
      isoOf([{ name: "L", sector: 0, size: 0, systemUse }], sectors, suspStart),
    );
    expect(message).toBe("the ISO is damaged: L is a link longer than Linux allows");

    const joliet = isoOf([{ name: "ODD", sector: 0, size: 0 }]);
    const supplementary = Buffer.from(joliet.subarray(16 * sectorSize, 17 * sectorSize));
    supplementary[0] = 2;
    supplementary.write("%/E", 88, "latin1");
    const root = Buffer.from(joliet.subarray(18 * sectorSize));
    const bytes = rawIso({ sector: 20, size: sectorSize }, new Map([[20, root]]));
    bytes.set(supplementary, 17 * sectorSize);
    bytes.writeUInt32LE(20, 17 * sectorSize + 158);
    expect((await refusal(bytes)).message).toContain("half a character");
  });
});

it("a path too long to be read is shown by its ends", async () => {
  const sectors = new Map<number, Buffer>();
  for (let index = 0; index < 100; index++) {
    const self = { sector: 20 + index, size: sectorSize };
    // The last one leads back to the first.
    const sector = index === 99 ? 20 : 21 + index;
    sectors.set(
      20 + index,
      directoryBytes(self, [{ name: `DIRECTORY_${index}`, sector, size: sectorSize, directory: true }]),
    );
  }
  const { message } = await refusal(
    isoOf([{ name: "TOP", sector: 20, size: sectorSize, directory: true }], sectors),
  );
  expect(message).toMatch(
    /^the ISO is damaged: TOP\/DIRECTORY_0\/.*….*\/DIRECTORY_99 shares its sectors with TOP$/,
  );
  expect(message.length).toBeLessThan(300);
});

it("what an ISO says of itself is read whatever its partition table claims", async () => {
  const iso = workspace.path("table.iso");
  const bytes = rawIso(
    { sector: 18, size: sectorSize },
    new Map([[18, directoryBytes({ sector: 18, size: sectorSize }, [])]]),
  );
  bytes.write("EFI PART", 512, "latin1");
  // Four milliards of entries of no bytes, then of more bytes than the area has.
  bytes.writeUInt32LE(0xffffffff, 512 + 80);
  await writeFile(iso, bytes);
  expect((await readIsoStructure(iso)).get("volume id")).toBeUndefined();
  bytes.writeUInt32LE(128, 512 + 84);
  await writeFile(iso, bytes);
  // Its 32 KiB are all that is looked at.
  const names = [...(await readIsoStructure(iso)).keys()].filter((name) => name.startsWith("GPT partition"));
  expect(names.length).toBeLessThanOrEqual((4 * 16 * sectorSize) / 128);
});
