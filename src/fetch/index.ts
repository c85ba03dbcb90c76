/** Getting bytes from elsewhere, once, and knowing what they are. */

export { type Clock, systemClock } from "./http/clock.ts";
export type { ContentKind } from "./http/content-kind.ts";
export {
  type DownloadOutcome,
  type DownloadRequest,
  defaultLimits,
  type Received,
  type TransportLimits,
  type Validators,
} from "./http/download.ts";
export type { FetchEvent, FetchSink } from "./http/event.ts";
export {
  besideLocation,
  isLocal,
  joinLocation,
  parseDirectoryLocation,
  parseLocation,
  publicUrl,
} from "./http/location.ts";
export { Network } from "./http/network.ts";
export { type Environment, proxyFor } from "./http/proxy.ts";
export type { SettingNames } from "./http/setting-names.ts";
export { Transport, type TransportOptions } from "./http/transport.ts";
export type { Artifact } from "./pins/artifact.ts";
export {
  blockedArtifacts,
  type FetchContext,
  type FetchResult,
  fetchArtifacts,
} from "./pins/fetch-artifacts.ts";
export { contentLines, type ExtensionList, type ListEntry, parseExtensionList } from "./pins/list.ts";
export {
  type AbsentEntry,
  entryOf,
  formatLock,
  type Lock,
  type LockEntry,
  type LockLine,
  parseLock,
  type SourceLock,
} from "./pins/lock.ts";
export { linesOf, pinLines, readLock } from "./pins/lock-file.ts";
export { parseMd5File } from "./pins/md5-file.ts";
export { pinnedTime } from "./pins/pinned-time.ts";
export { mayFetch, type Policy, refuseUnpinned, type Wanted } from "./pins/pinning.ts";
export type { BlobStore } from "./pins/store.ts";
export { type GemIndex, openGemIndex } from "./rubygems/gem-index.ts";
export { type GemRequest, parseGemList } from "./rubygems/gem-list.ts";
export { type GemsInput, type GemsResolution, gemNameOf, resolveGems } from "./rubygems/gems.ts";
export {
  type Catalogue,
  type CatalogueEntry,
  type IndexMemory,
  openCatalogue,
} from "./tinycore/catalogue.ts";
export { coreIsoArtifact } from "./tinycore/core-iso.ts";
export {
  type ExtensionGraph,
  type ExtensionNode,
  type GraphInput,
  loadExtensions,
  type OwnExtension,
} from "./tinycore/extension-graph.ts";
export {
  type Closure,
  type ClosureItem,
  extensionArtifacts,
  formatOnboot,
  orderExtensions,
  ownWins,
} from "./tinycore/extensions.ts";
export { formatDependencies, formatMd5File, parseDependencies, parseInfo } from "./tinycore/indexes.ts";
export { fillKernel, type Group } from "./tinycore/kernel-name.ts";
export {
  type Architecture,
  type CoreFiles,
  coreFiles,
  defineMirror,
  extensionLocation,
  type Mirror,
  releaseLocation,
} from "./tinycore/mirror.ts";
export { type Change, describeChanges } from "./update/changes.ts";
export { isNamed, type Update, unpin, updateArtifacts } from "./update/update.ts";
