/** What is kept of a run's inputs, so that a later change can be named by file and line. */
import { readFile } from "node:fs/promises";
import type { Digest } from "../define/names.ts";
import type { ResolvedInput } from "../files/input.ts";
import { encodeListing } from "../files/listing.ts";
import type { State } from "../state/state.ts";
import { withoutCredentials } from "./line-changes.ts";

/**
 * The text of an input whose changes are shown line by line, without the credentials in its URLs; undefined for others, and where there
 * is none.
 */
export async function textOf(input: ResolvedInput): Promise<string | undefined> {
  if (input.declaration.kind !== "file" || !input.declaration.byLine) return undefined;
  if (input.listing.size === 0) return undefined;
  return withoutCredentials(input.selected ?? (await readFile(input.root, "utf8")));
}

/**
 * Keeps the listings of inputs, so that a later difference can be named file by file, and the texts whose differences
 * are shown line by line. Returns the digests of these texts, which are for the owner only.
 */
export async function rememberInputs(
  inputs: readonly ResolvedInput[],
  state: State,
): Promise<readonly Digest[]> {
  const texts: Digest[] = [];
  for (const input of inputs) {
    if (!state.store.has(input.digest)) state.store.putText(encodeListing(input.listing), input.digest);
    const text = await textOf(input);
    if (text !== undefined) texts.push(state.store.putText(text, undefined, "private"));
  }
  return texts;
}
