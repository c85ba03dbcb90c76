/** Getting bytes from elsewhere, once, and knowing what they are. */
export { type Catalogue, type CatalogueEntry, openCatalogue } from "./catalogue.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { ContentKind } from "./content-kind.ts";
export {
  type DownloadOutcome,
  type DownloadRequest,
  defaultLimits,
  type Received,
  type TransportLimits,
  type Validators,
} from "./download.ts";
export type { FetchEvent, FetchSink } from "./event.ts";
export {
  formatDependencies,
  formatMd5File,
  parseDependencies,
  parseInfo,
  parseMd5File,
} from "./indexes.ts";
export { type ExtensionList, type ListEntry, parseExtensionList } from "./list.ts";
export { isLocal, joinLocation, parseLocation, publicUrl } from "./location.ts";
export {
  type Architecture,
  type CoreFiles,
  coreFiles,
  defineMirror,
  extensionLocation,
  type Mirror,
  releaseLocation,
} from "./mirror.ts";
export { type Environment, proxyFor } from "./proxy.ts";
export { createFileHandler, type StaticServer, serve, serveDirectory } from "./serve.ts";
export { Transport, type TransportOptions } from "./transport.ts";
