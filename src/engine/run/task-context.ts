/**
 * What a running task is handed: its declared inputs, needs, parameters and tools, and nothing else.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { createShell, type ProcessGroups, type Shell } from "../../host/index.ts";
import { type BoundTask, neededSlots } from "../bind/bound-task.ts";
import { neededTools, usefulTools } from "../bind/optional-tool.ts";
import { locateTool } from "../bind/tool.ts";
import type { Assessment } from "../decide/assessment.ts";
import type { NeededOutputs } from "../decide/input-recheck.ts";
import { parseKeyValues } from "../define/key-values.ts";
import type { TaskId } from "../define/names.ts";
import { absolutePath, digestFrom, displayPath, isDigest } from "../define/names.ts";
import type { Share } from "../define/shared.ts";
import type {
  AnyPrefetchContext,
  AnyTaskContext,
  BlobAccess,
  Chunk,
  FileSet,
  Progress,
  SparsePiece,
} from "../define/task-context-types.ts";
import { digestInPieces } from "../files/digest.ts";
import type { ResolvedInput } from "../files/input.ts";
import { writeSparseFile } from "../files/sparse-file.ts";
import { markMtime } from "../files/stat-cache.ts";
import type { OutputPlaces } from "../state/output.ts";
import type { RemoteCache } from "../state/remote-cache.ts";
import type { State } from "../state/state.ts";
import type { Capture } from "./capture.ts";
import type { CodeAccesses } from "./code-access.ts";
import { memoFor } from "./memo.ts";
import type { RunningCode } from "./running-code.ts";
import type { StagingAreas } from "./staging.ts";

/** What the runner of a task is given by the build. */
export interface ExecutionContext {
  readonly state: State;
  readonly stagingAreas: StagingAreas;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where the outputs of the tasks that this one needs are. */
  readonly outputsOf: (id: TaskId) => OutputPlaces;
  readonly onProgress: (progress: Progress) => void;
  readonly onOutput: (text: string) => void;
  readonly onNote: (message: string) => void;
  /** What was made where by a task that this one needs. */
  readonly needed: (id: TaskId) => NeededOutputs | undefined;
  /** The modules of the task's code that changed since they were compiled, relative to the workspace where they are in it. */
  readonly movedSources: () => readonly string[];
  /** Inputs that changed while the task ran, as users know them; not `known` where they are what they were before. */
  readonly onMoved: (paths: readonly string[], known: boolean) => void;
  /** The inputs as the finished task left them. */
  readonly onSettled: (inputs: readonly ResolvedInput[]) => void;
  /** A process that starts (with its command), or ends. */
  readonly onProcess: (process: { readonly pid: number; readonly command?: string }) => void;
  /** Fires when nobody waits for processes to end by themselves any more. */
  readonly hurry?: AbortSignal;
  readonly share: Share;
  readonly remote?: RemoteCache;
  /** Runs the task's code. */
  readonly running: RunningCode;
  /** Bytes that are kept of what the task prints. */
  readonly outputLimit: number;
  /** Takes an error that is thrown after the task was done. */
  readonly onLateError: (error: unknown) => void;
  /** Whether access to what the task does not declare is looked for; `strict` makes that a failure. */
  readonly audit: "off" | "report" | "strict";
  /** Notes what the task's own code touches; there only where it is audited. */
  readonly codeAccesses?: CodeAccesses;
  /** Absolute path of the directory that the running program is loaded from. */
  readonly program?: string;
}

/** The shell of a task that declares tools; commands run in its scratch directory, each in a process group of `groups`. */
export async function shellFor(
  bound: BoundTask,
  context: ExecutionContext,
  groups: ProcessGroups,
  capture: Capture,
  directory: string,
): Promise<Shell> {
  if (neededTools(bound).length + usefulTools(bound).length === 0) return noShell(bound);
  return createShell({
    cwd: path.join(directory, "scratch"),
    home: path.join(directory, "home"),
    tools: [...neededTools(bound), ...usefulTools(bound)],
    env: declaredEnv(bound, context),
    groups,
    foreground: bound.task.interactive,
    onOutput: (text) => capture.add(text),
  });
}

/** The variables of the task's env files, and over them those of the caller that it declares. */
function declaredEnv(bound: BoundTask, context: ExecutionContext): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of bound.task.envFiles) {
    const text = readFileSync(path.resolve(context.state.workspace, name), "utf8");
    Object.assign(env, Object.fromEntries(parseKeyValues(text, name)));
  }
  // Interactive commands need to know the terminal's type.
  const own = bound.task.interactive ? ["TERM", "COLORTERM"] : [];
  for (const name of [...bound.task.env, ...bound.task.passEnv, ...own]) {
    const value = context.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** A task that declares no tools runs no commands: anything else would be an undeclared input. */
function noShell(bound: BoundTask): Shell {
  return (() => {
    throw new Error(`the task ${bound.task.name} runs a command, but declares no tools`);
  }) as unknown as Shell;
}

/** Everything that the task's `run` is given. `directory` is its own temporary one. */
export function taskContext(
  bound: BoundTask,
  { inputs, parts }: Pick<Assessment, "inputs" | "parts">,
  places: OutputPlaces,
  $: Shell,
  directory: string,
  capture: Capture,
  context: ExecutionContext,
): AnyTaskContext {
  const needs = [...bound.needs].map(([name, id]) => {
    if (id === undefined) return [name, undefined];
    const slots = neededSlots(bound, name);
    const places = [...context.outputsOf(id)].filter(([slot]) => slots === undefined || slots.includes(slot));
    return [name, Object.fromEntries(places)];
  });
  // The definition's own types describe these records; see `task`.
  return {
    ...prefetchContext(bound, inputs, path.join(directory, "scratch"), capture, context),
    needs: Object.fromEntries(needs),
    outputs: Object.fromEntries(places),
    $,
    log: (message: string) => capture.add(`${message}\n`),
    memo: memoFor(bound.task.name, parts, path.join(directory, "scratch"), context.state),
    join: (target: string, chunks: readonly Chunk[]) =>
      context.state.concatenator.join(target, chunks, context.signal),
    writeSparse: async (target: string, size: number, pieces: readonly SparsePiece[]) => {
      const stored = bound.outputs.find(({ slot, sparse }) => !sparse && places.get(slot) === target);
      if (stored !== undefined) throw new Error(`the output "${stored.slot}" is not declared as sparse`);
      const { digest, written } = await writeSparseFile(target, size, pieces, context.signal);
      markMtime(target);
      context.state.files.recordWritten(absolutePath(target), digest, "sparse");
      return written;
    },
    digest: (chunks: readonly Chunk[]) => context.state.concatenator.digest(chunks),
  } as unknown as AnyTaskContext;
}

/** What of that there is before the needs are done. `scratch` is an absolute path. */
export function prefetchContext(
  bound: BoundTask,
  inputs: readonly ResolvedInput[],
  scratch: string,
  capture: Capture,
  context: ExecutionContext,
): AnyPrefetchContext {
  const inputValues = inputs.map((input): [string, string | FileSet] => [
    input.name,
    input.declaration.kind === "file" ? input.root : { root: input.root, paths: input.paths },
  ]);
  return {
    inputs: Object.fromEntries(inputValues),
    params: Object.fromEntries(bound.values),
    variant: bound.requestedVariant,
    missingTools: usefulTools(bound).filter((tool) => locateTool(tool) === undefined),
    note: (message: string) => context.onNote(capture.clean(message)),
    progress: (progress: Progress) => context.onProgress(capture.cleanProgress(progress)),
    signal: context.signal,
    env: declaredEnv(bound, context),
    scratch,
    blobs: blobAccess(context.state, context),
    share: context.share,
  } as unknown as AnyPrefetchContext;
}

/** The store as a task or a command may use it, with the remote cache behind it where there is one. */
export function blobAccess(
  state: State,
  { remote, signal }: Pick<ExecutionContext, "remote" | "signal">,
): BlobAccess {
  return {
    retrieve: async (sha256, size) =>
      (await remote?.retrieve({ digest: digestFrom(sha256), size }, state.store, signal)) === true,
    offer: (sha256, size) => remote?.offerContent({ digest: digestFrom(sha256), size }, state.store),
    has: (sha256) => isDigest(sha256) && state.store.has(sha256),
    pathOf: (sha256) => state.store.pathOf(digestFrom(sha256)),
    adopt: (file, sha256) => state.store.adopt(file, digestFrom(sha256)),
    async copyOut(sha256, target) {
      const digest = digestFrom(sha256);
      if (await state.store.copyOut(digest, target, 0o644, digestInPieces)) {
        // Checked just now: it need not be read once more as an output.
        markMtime(target);
        state.files.recordWritten(absolutePath(target), digest);
        return;
      }
      throw new UserError("a downloaded file in the cache was damaged; it was removed from the cache", {
        code: "blob-damaged",
        where: displayPath(state.workspace, state.store.pathOf(digest)),
        hint: "run the build again: the file is downloaded again",
      });
    },
  };
}
