/**
 * An incremental, content-hashed task engine: tasks as values, fingerprints, stamps, a content store.
 * It knows nothing of what the tasks make.
 */
export { needsOf } from "./bind/adjacency.ts";
export type { BoundOutput, BoundTask, Choice, Combination, Graph } from "./bind/bound-task.ts";
export { inputCovers, prefetchValues } from "./bind/graph.ts";
export { combine, variantAxis } from "./bind/matrix.ts";
export { toolUses } from "./bind/optional-tool.ts";
export { findTool } from "./bind/tool.ts";
export type { CodeIndex } from "./decide/code-index.ts";
export { dependenciesOf, type UpToDateDependencies } from "./decide/dependencies.ts";
export { describeReason, type Reason } from "./decide/reason.ts";
export type { BuildFacts, BuildRun, BuildSpan, RunTask, TaskFacts } from "./define/build-facts.ts";
export type { Check, CheckContext, Finding } from "./define/check.ts";
export {
  type BuiltOutputs,
  type Command,
  type CommandContext,
  command,
  type ExclusiveContext,
  type GivenOption,
  type Target,
} from "./define/command.ts";
export { file, files, type GenerateContext, type SelectContext } from "./define/declared-input.ts";
export { type Output, out } from "./define/declared-output.ts";
export type { NeedPaths, Task, ToolUse } from "./define/declared-task.ts";
export { requireTaskfile } from "./define/definition-check.ts";
export { ofFlavour } from "./define/flavour.ts";
export { parseKeyValues } from "./define/key-values.ts";
export type { AbsolutePath, Digest, Fingerprint, RelativePath, TaskId } from "./define/names.ts";
export { absolutePath, digestFrom, displayPath, isDigest, taskId } from "./define/names.ts";
export { inVariants, neededTask, only, tasksOf, when, whenText } from "./define/need.ts";
export {
  argumentsName,
  type Parameter,
  type ParameterHost,
  type ParseHost,
  type PathDependencies,
  type PathDependencySource,
  param,
  type ValuesHost,
} from "./define/parameter.ts";
export { type LateText, type OptionValues, ParameterValues } from "./define/parameter-values.ts";
export { Secret } from "./define/secret.ts";
export type { Share, Shareable } from "./define/shared.ts";
export type { SourceLocation } from "./define/source-location.ts";
export { task } from "./define/task.ts";
export type {
  AnyTaskContext,
  BlobAccess,
  Chunk,
  FileSet,
  Memo,
  Progress,
  SparsePiece,
} from "./define/task-context-types.ts";
export {
  type ConfigFormat,
  type Example,
  type Flavour,
  type ProjectTemplate,
  type Taskfile,
  taskfile,
  type Variant,
} from "./define/taskfile.ts";
export { digestOfBytes, digestOfParts } from "./files/digest.ts";
export { type ListedEntry, type Listing, listingOf } from "./files/listing.ts";
export type { Clock } from "./files/stat-cache.ts";
export { type BuildResult, bind, build, outputsOnDisk } from "./run/build.ts";
export type { BuildRequest, Workspace } from "./run/build-request.ts";
export { builtOutputs } from "./run/built-outputs.ts";
export { removeProducts } from "./run/clean.ts";
export type { BuildEvent, BuildOutcome, EventSink } from "./run/event.ts";
export { outputPathsOf, workAlone } from "./run/exclusive-work.ts";
export type { Executor, JobEnd, JobFailure, JobRequest } from "./run/executor.ts";
export { type Forecast, forecast } from "./run/forecast.ts";
export { inputPaths } from "./run/input-paths.ts";
export type { Job } from "./run/job.ts";
export { JobContentLost, JobDeclined, runJob } from "./run/job-run.ts";
export { KeptOutput } from "./run/kept-output.ts";
export { RunningCode } from "./run/running-code.ts";
export { TaskFailure } from "./run/task-run.ts";
export { Turns } from "./run/turns.ts";
export type { BlobReference } from "./state/blob-file.ts";
export {
  collectGarbage,
  type GarbageCollection,
  storeStatistics,
  verifyStore,
} from "./state/garbage-collection.ts";
export { acquireLock } from "./state/lock.ts";
export type {
  Download,
  RemoteCache,
  RemoteResult,
  RemoteTraffic,
  RemoteTransfer,
  ResultKey,
} from "./state/remote-cache.ts";
export type { Part } from "./state/stamp.ts";
export { State } from "./state/state.ts";
export type { Store } from "./state/store.ts";
export {
  type Cycle,
  type CycleRequest,
  type Loop,
  type LoopGuard,
  type SourceFile,
  Watch,
  type WatchEnd,
  type WatchEvent,
  type WatchOptions,
} from "./watch/index.ts";
