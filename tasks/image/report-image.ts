/** What a report shows of an image. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type Bill,
  billOf,
  type Component,
  describeLicence,
  formatCycloneDx,
  formatSpdx,
  imageAlone,
} from "../../src/bom/index.ts";
import type { CommandContext } from "../../src/engine/index.ts";
import { printName } from "../../src/formats/index.ts";
import type { Image } from "../../src/inspection/index.ts";
import type { ReportExtension, ReportImage, SizeNode } from "../../src/report/index.ts";
import { limitsGiven } from "../settings/limit-options.ts";
import { billTool } from "./bill-sources.ts";
import { withImage } from "./opened-image.ts";
import { imageSizes, isoSizes } from "./size-tree.ts";

type ImageContext = Pick<CommandContext, "cwd" | "value" | "note">;

interface DescribedImage {
  readonly image: ReportImage;
  /** Texts of the bills of materials, by file name. */
  readonly bills: ReadonlyMap<string, string>;
}

/** Describes the image at `file`; `against` is another one to compare with. Paths as a user gives them. */
export async function describeImage(
  context: ImageContext,
  file: string,
  against: string | undefined,
): Promise<DescribedImage> {
  const limits = await limitsGiven(context.value);
  const before =
    against === undefined
      ? undefined
      : await withImage(context, against, (image, at) => sizesOf(image, at, limits));
  return await withImage(context, file, async (image, at) => {
    const spoolDir = await mkdtemp(path.join(tmpdir(), "razor-mk-report-"));
    try {
      const sources = imageAlone({ spoolDir, limits, note: context.note });
      const bill = await billOf(image, { ...sources, file: at, tool: billTool });
      const name = path.basename(at);
      const stem = printName(name.replace(/\.iso$/, ""));
      return {
        image: {
          ...{ name, bytes: bill.image.size, sizes: await sizesOf(image, at, limits) },
          ...(before === undefined || against === undefined
            ? {}
            : { against: { name: path.basename(against), sizes: before } }),
          extensions: rowsOf(bill, "extension"),
          gems: rowsOf(bill, "gem"),
          replaced: replacedIn(image),
        },
        bills: new Map([
          [`${stem}.cdx.json`, await formatCycloneDx(bill)],
          [`${stem}.spdx.json`, formatSpdx(bill)],
        ]),
      };
    } finally {
      await rm(spoolDir, { recursive: true, force: true });
    }
  });
}

async function sizesOf(
  image: Image,
  file: string,
  limits: Awaited<ReturnType<typeof limitsGiven>>,
): Promise<SizeNode> {
  if (image.kind !== "ISO") return imageSizes(image, path.basename(file));
  const scratch = await mkdtemp(path.join(tmpdir(), "razor-mk-sizes-"));
  try {
    return await isoSizes(file, (await stat(file)).size, { scratch, limits });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function rowsOf({ components }: Bill, kind: Component["kind"]): readonly ReportExtension[] {
  return components
    .filter((one) => one.kind === kind)
    .map(({ id, name, version, size = 0, licences }) => ({
      ...{
        name,
        size,
        neededBy: components.filter(({ needs }) => needs.includes(id)).map((one) => one.name),
      },
      ...(version === undefined ? {} : { version }),
      ...(licences.length === 0 ? {} : { licence: licences.map(describeLicence).join("; ") }),
    }));
}

/** Files in the place of another layer's. */
function replacedIn({ view }: Image): ReportImage["replaced"] {
  return view.tree.paths().flatMap((at) => {
    const replaces = view.replacedAt(at).map(({ name }) => name);
    return replaces.length === 0 ? [] : [{ path: at, layer: view.layerOf(at)?.name ?? "", replaces }];
  });
}
