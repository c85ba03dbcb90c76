/** The sources file, as far as it is YAML: what an entry means is for its kind of source. */
import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../../../src/errors/index.ts";
import { shownPath } from "../../settings/shown-path.ts";

/** The entries of the sources file at an absolute path, by their names. */
export async function readSources(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import("yaml");
  try {
    const sources: unknown = parse(readFileSync(file, "utf8"));
    return isRecord(sources) ? sources : {};
  } catch (cause) {
    throw new UserError(`the sources file is not YAML: ${messageOf(cause)}`, {
      code: "source-definition",
      hint: "correct the line that the message names",
      where: shownPath(file),
      cause,
    });
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
