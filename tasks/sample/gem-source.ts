/** A gem that is not packed yet. */
import type { GemSpecification } from "./gemspec.ts";

/** A gem taken out of a package: path inside the gem → file on disk or text. */
export interface GemSource {
  readonly specification: GemSpecification;
  readonly files: ReadonlyMap<string, { readonly from: string } | { readonly text: string }>;
}
