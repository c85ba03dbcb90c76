/** README of an image, as the project's template and the list of the image's contents make it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type ContentEntry, type ReadmeFields, renderReadme } from "../settings/readme.ts";
import { shownPath } from "../settings/shown-path.ts";

/** The file of a bundle with all fields filled in but the version, which the bundle's scripts may be given. */
export const bundledReadme = "README.in";

/**
 * The text of README; undefined if the project has no template. `template` and `contents` are absolute paths; fields that `kept` names
 * stay as they are.
 */
export async function imageReadme(
  template: string,
  contents: string,
  values: Omit<ReadmeFields, "contents">,
  kept: readonly string[] = [],
): Promise<string | undefined> {
  if (!existsSync(template)) return undefined;
  const entries = JSON.parse(await readFile(contents, "utf8")) as readonly ContentEntry[];
  const text = await readFile(template, "utf8");
  return renderReadme(text, { ...values, contents: entries }, shownPath(template), kept);
}

/** README of a bundle's image: the bundle's text with the version of the image. */
export function withVersion(text: string, version: string): string {
  return text.replaceAll("{{version}}", () => version);
}
