/** A source that the user defined in the sources file. */
import { definedSource } from "./defined-source.ts";
import type { SourceKind } from "./source-kind.ts";
import { isLocation } from "./source-name.ts";

export const named: SourceKind = definedSource({
  name: undefined,
  description: "another name in lists/sources.yaml",
  matches: (source) => !isLocation(source),
  isListed: true,
  definition: (source) => source,
});
