/** A mirror's URL or directory; gems and extras come from where Tiny Core's do. */
import { definedSource } from "./defined-source.ts";
import { findMirror } from "./mirror-directory.ts";
import type { SourceKind } from "./source-kind.ts";
import { isLocation } from "./source-name.ts";

export const location: SourceKind = definedSource({
  name: undefined,
  description: "a mirror's URL or directory",
  matches: isLocation,
  isListed: false,
  definition: () => "tinycore",
  mirror: findMirror,
});
