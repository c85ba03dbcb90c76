/**
 * An incremental, content-hashed task engine: tasks as values, fingerprints, stamps, a content store.
 * It knows nothing of what the tasks make.
 */
export { needsOf } from "./adjacency.ts";
export type { BoundOutput, BoundTask, Graph } from "./bound-task.ts";
export { type BuildResult, bind, build, outputsOnDisk } from "./build.ts";
export type { BuildRequest, Workspace } from "./build-request.ts";
export type { Check, CheckContext, Finding } from "./check.ts";
export { type Collection, collectGarbage, storeStatistics, verifyStore } from "./collection.ts";
export { type Command, type CommandContext, command, type Target, type Workbench } from "./command.ts";
export type { CodeIndex } from "./decision.ts";
export { file, files, type SeedContext, type SelectContext } from "./declared-input.ts";
export { out } from "./declared-output.ts";
export type { NeedPaths, Task, ToolUse } from "./declared-task.ts";
export { requireTaskfile } from "./definition-check.ts";
export { digestOfBytes, digestOfParts } from "./digest.ts";
export type { BuildEvent, BuildOutcome, EventSink } from "./event.ts";
export { type Evidence, evidenceOf } from "./evidence.ts";
export type { Clock } from "./file-table.ts";
export { type Forecast, forecast } from "./forecast.ts";
export type { AnyTaskContext, BlobAccess, FileSet, Memo, Piece, Progress } from "./given-context.ts";
export { inputCovers, prefetchValues } from "./graph.ts";
export { KeptOutput } from "./kept-output.ts";
export { parseKeyValues } from "./key-values.ts";
export { acquireLock } from "./lock.ts";
export type { AbsolutePath, Digest, Fingerprint, RelativePath, TaskId } from "./names.ts";
export { displayPath } from "./names.ts";
export { inVariants, neededTask, only, tasksOf, when, whenText } from "./need.ts";
export { toolUses } from "./optional-tool.ts";
export {
  argumentsName,
  type GivenValues,
  type LateText,
  type Looked,
  type LookedAt,
  type Parameter,
  type ParameterHost,
  ParameterValues,
  param,
  Secret,
  type ValuesHost,
} from "./parameter.ts";
export { removeProducts } from "./product.ts";
export { describeReason, type Reason } from "./reason.ts";
export { RunningCode } from "./running-code.ts";
export type { Share, Shareable } from "./shared.ts";
export type { SourceLocation } from "./source-location.ts";
export { State } from "./state.ts";
export { task } from "./task.ts";
export { type Example, type Taskfile, taskfile, type Variant } from "./taskfile.ts";
export { findTool } from "./tool.ts";
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
export { outputPathsOf, workAlone } from "./workbench.ts";
