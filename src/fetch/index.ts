/** Getting bytes from elsewhere, once, and knowing what they are. */
export type { Artefact } from "./artefact.ts";
export { type Catalogue, type CatalogueEntry, type IndexMemory, openCatalogue } from "./catalogue.ts";
export { type Change, describeChanges } from "./changes.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { ContentKind } from "./content-kind.ts";
export { coreIsoArtefact } from "./core-iso.ts";
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
  type ExtensionGraph,
  type ExtensionNode,
  fillKernel,
  type GraphInput,
  type Group,
  loadExtensions,
} from "./extension-graph.ts";
export {
  type Closure,
  type ClosureItem,
  extensionArtefacts,
  formatOnboot,
  orderExtensions,
} from "./extensions.ts";
export { blockedArtefacts, type FetchContext, type FetchResult, fetchArtefacts } from "./fetch-artefacts.ts";
export { type GemIndex, openGemIndex } from "./gem-index.ts";
export { type GemRequest, parseGemList } from "./gem-list.ts";
export { type GemsInput, type GemsResolution, gemNameOf, resolveGems } from "./gems.ts";
export { formatDependencies, formatMd5File, parseDependencies, parseInfo } from "./indexes.ts";
export { type ExtensionList, type ListEntry, parseExtensionList } from "./list.ts";
export {
  besideLocation,
  isLocal,
  joinLocation,
  parseFolderLocation,
  parseLocation,
  publicUrl,
} from "./location.ts";
export {
  type AbsentEntry,
  entryOf,
  formatLock,
  type Lock,
  type LockEntry,
  type LockLine,
  parseLock,
  type SourceLock,
} from "./lock.ts";
export { linesOf, pinLines, readLock } from "./lock-file.ts";
export { parseMd5File } from "./md5-file.ts";
export {
  type Architecture,
  type CoreFiles,
  coreFiles,
  defineMirror,
  extensionLocation,
  type Mirror,
  releaseLocation,
} from "./mirror.ts";
export { Network } from "./network.ts";
export { pinnedTime } from "./pinned-time.ts";
export { mayFetch, type Policy, refuseUnpinned, type Wanted } from "./pinning.ts";
export { type Environment, proxyFor } from "./proxy.ts";
export { createFileHandler, type StaticServer, serve, serveDirectory } from "./serve.ts";
export type { BlobStore } from "./store.ts";
export { Transport, type TransportOptions } from "./transport.ts";
export { isNamed, type Update, unpin, updateArtefacts } from "./update.ts";
