/** What is in an image: its layers, and what the booted machine would see of them. */
export {
  type Container,
  containerKind,
  contentOfFile,
  describeContent,
  openContainer,
  Spool,
} from "./container.ts";
export { type ExtractionOptions, extractEntries } from "./extraction.ts";
export { type Image, openImage } from "./image.ts";
export type { Layer } from "./layer.ts";
export { describeEntries, entryFacts, layerFacts } from "./listing.ts";
export { findEntries, type Match } from "./search.ts";
export { chooseView, fileAt, findPath, listedPaths, pathsBelow } from "./selection.ts";
export type { View } from "./view.ts";
