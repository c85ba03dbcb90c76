/** Tiny Core's own mirror, as the sources file defines it. */
import { definedSource } from "./defined-source.ts";
import type { SourceKind } from "./source-kind.ts";

export const tinycore: SourceKind = definedSource({
  name: "tinycore",
  description: "tinycore",
  matches: (source) => source === "tinycore",
  isListed: true,
  definition: () => "tinycore",
});
