/** What is in an image: its layers, and what the booted machine would see of them. */
export { bootCodeFaults } from "./boot-code-faults.ts";
export { findBootFiles } from "./boot-files.ts";
export {
  type Container,
  containerKind,
  contentOfFile,
  describeContent,
  openContainer,
  Spool,
} from "./container.ts";
export { kernelRelease } from "./extensions.ts";
export { type ExtractionOptions, extractEntries } from "./extraction.ts";
export { findFaults } from "./faults.ts";
export { type Image, openImage } from "./image.ts";
export type { ImageFault } from "./image-fault.ts";
export { imageKind } from "./image-kind.ts";
export type { Layer } from "./layer.ts";
export { describeEntries, entryFacts, layerFacts } from "./listing.ts";
export { scriptFaults } from "./script-faults.ts";
export { findEntries, type Match } from "./search.ts";
export { chooseView, fileAt, findPath, listedPaths, pathsBelow } from "./selection.ts";
export { mergeView, type View } from "./view.ts";
