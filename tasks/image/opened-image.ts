/** Opening the image that a command names: its scratch directory, and limits. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type CommandContext, param } from "../../src/engine/index.ts";
import { type Image, openImage } from "../../src/inspection/index.ts";
import { limitParams, limitsGiven } from "../settings/limit-options.ts";

export const layerName = param.optional({
  name: "layer",
  description: "look at one layer only: iso, 3, bash.tcz",
  value: "NAME",
});

/** The parameters of a command that opens an image. */
export const imageParams = { ...limitParams, layerName };

/** Opens the image `named`, a path as the user gave it, for as long as `use` takes. */
export async function withImage<T>(
  { cwd, value, note }: Pick<CommandContext, "cwd" | "value" | "note">,
  named: string,
  use: (image: Image, file: string) => Promise<T>,
): Promise<T> {
  const limits = await limitsGiven(value);
  const file = path.resolve(cwd, named);
  const spoolDir = await mkdtemp(path.join(tmpdir(), "razor-mk-image-"));
  try {
    return await use(await openImage(file, { spoolDir, limits, note }), file);
  } finally {
    await rm(spoolDir, { recursive: true, force: true });
  }
}
