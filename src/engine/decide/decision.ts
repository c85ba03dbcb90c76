/**
 * Whether a task is fresh, can be restored, or has to run, and why. `why` and `--dry-run` call the same function as a
 * build, so they cannot disagree with it.
 */

import { readFile } from "node:fs/promises";
import { UserError } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { neededTools, usefulTools } from "../bind/optional-tool.ts";
import { findTool, locateTool, type ToolHint } from "../bind/tool.ts";
import type { AbsolutePath, Digest, Fingerprint } from "../define/names.ts";
import { absolutePath, displayPath, isDigest } from "../define/names.ts";
import { neededTask } from "../define/need.ts";
import type { Parameter } from "../define/parameter.ts";
import type { SourceLocation } from "../define/source-location.ts";
import { type ResolvedInput, resolveInput } from "../files/input.ts";
import {
  compareListings,
  decodeListing,
  encodeListing,
  type Listing,
  type ListingChange,
} from "../files/listing.ts";
import { isSound } from "../state/listing-rules.ts";
import { firstNotStored, listOutputs, pathIn, placesOf } from "../state/output.ts";
import type { Part, Stamp } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import { fingerprintOf, partsOf } from "./fingerprint.ts";
import { compareLines, withoutCredentials } from "./line-changes.ts";
import type { Reason } from "./reason.ts";

/** What the program knows of the code that tasks are written in. */
export interface CodeIndex {
  /** Digest of the module at a location and of every local module that it imports. */
  digestOf(locations: readonly SourceLocation[]): Digest;
  /** Those modules, as paths relative to the workspace. */
  modulesOf(locations: readonly SourceLocation[]): readonly string[];
  /** Those modules as absolute paths, each with the digest of the bytes that were compiled. */
  sourcesOf(locations: readonly SourceLocation[]): readonly (readonly [AbsolutePath, Digest])[];
  /** Absolute paths of all files that the program was made of. */
  readonly sources: readonly string[];
  /** Absolute path of the folder that the running program is loaded from, some of it late. */
  readonly program?: string;
  /** A location as `file:line` of the source. */
  locate(location: SourceLocation | undefined): string;
}

interface DecisionContext {
  readonly state: State;
  readonly code: CodeIndex;
  readonly toolHint: ToolHint;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tools that this build has found already. */
  readonly foundTools: Map<string, AbsolutePath>;
}

export interface Assessment {
  readonly fingerprint: Fingerprint;
  readonly parts: readonly Part[];
  readonly inputs: readonly ResolvedInput[];
  /** The programs that the task's tools are. */
  readonly binaries: readonly AbsolutePath[];
}

export type Decision = Assessment &
  (
    | { readonly kind: "fresh"; readonly stamp: Stamp; readonly outputs: Listing }
    | {
        readonly kind: "restore";
        readonly stamp: Stamp;
        readonly outputs: Listing;
        readonly reasons: readonly Reason[];
      }
    | { readonly kind: "run"; readonly reasons: readonly Reason[] }
  );

/**
 * Decides for one task. `needs` holds the digest of each need's outputs, taken after it finished.
 * Throws `UserError` when a tool or an input is missing.
 */
export async function decide(
  bound: BoundTask,
  needs: ReadonlyMap<string, Digest | undefined>,
  forced: boolean,
  context: DecisionContext,
): Promise<Decision> {
  const { state } = context;
  const assessment = await assess(bound, needs, context);
  if (!bound.task.cached) return { ...assessment, kind: "run", reasons: [{ kind: "uncached" }] };
  const stamp = forced ? undefined : state.stamps.result(assessment.fingerprint);
  const found = stamp === undefined ? undefined : await listOutputs(placesOf(bound.outputs), state.files);
  const asRecorded = stamp !== undefined && found !== undefined && encodeListing(found) === stamp.outputs;
  // The record may come from a foreign cache, so the listing must also be one that this task can make.
  if (asRecorded && isSound(found, bound.outputs))
    return { ...assessment, kind: "fresh", stamp, outputs: found };
  const because = forced
    ? [{ kind: "forced" } as const]
    : state.stamps.currentFingerprint(bound.id) === assessment.fingerprint
      ? []
      : await explainParts(bound, state.stamps.last(bound.id), assessment, context);
  if (stamp === undefined || found === undefined) return { ...assessment, kind: "run", reasons: because };

  const wanted = decodeListing(stamp.outputs);
  if (wanted === undefined || !isSound(wanted, bound.outputs)) {
    const reasons: readonly Reason[] = because.length === 0 ? [{ kind: "store-damaged" }] : because;
    return { ...assessment, kind: "run", reasons };
  }
  // Whoever reads a reason knows the paths, and not what the task calls them.
  const show = (name: string): string => displayPath(state.workspace, pathIn(placesOf(bound.outputs), name));
  const differences = compareListings(wanted, found);
  const seen = differences.map(({ path, change }) => outputReason(show(path), change));
  const reasons = because.length === 0 ? seen : because;
  const gone = firstNotStored(wanted, state.store);
  if (gone === undefined) return { ...assessment, kind: "restore", stamp, outputs: wanted, reasons };
  return {
    ...assessment,
    kind: "run",
    reasons: [...reasons, { kind: "store-incomplete", path: show(gone) }],
  };
}

async function assess(
  bound: BoundTask,
  needs: ReadonlyMap<string, Digest | undefined>,
  context: DecisionContext,
): Promise<Assessment> {
  const inputs = await resolveInputs(bound, context.state);
  const tools = new Map<string, Digest | undefined>();
  const binaries: AbsolutePath[] = [];
  for (const tool of neededTools(bound)) {
    const binary = context.foundTools.get(tool) ?? findTool(tool, context.toolHint);
    context.foundTools.set(tool, binary);
    binaries.push(binary);
    tools.set(tool, await digestOfTool(tool, binary, context));
  }
  for (const tool of usefulTools(bound)) {
    const binary = locateTool(tool);
    if (binary !== undefined) binaries.push(binary);
    tools.set(tool, binary === undefined ? undefined : await digestOfTool(tool, binary, context));
  }
  const parts = partsOf({
    workspace: context.state.workspace,
    bound,
    inputs,
    code: context.code.digestOf(bound.task.definedAt),
    tools,
    needs,
    env: context.env,
    secretKey: () => context.state.secretKey(),
  });
  return { fingerprint: fingerprintOf(parts), parts, inputs, binaries };
}

/** The task's inputs as they are now. */
export async function resolveInputs(bound: BoundTask, state: State): Promise<readonly ResolvedInput[]> {
  const resolved: ResolvedInput[] = [];
  for (const [name, declaration] of Object.entries(bound.task.inputs)) {
    resolved.push(
      await resolveInput(name, declaration, {
        workspace: state.workspace,
        files: state.files,
        memory: state.fileLog,
        variant: bound.variant,
        value: <T>(parameter: Parameter<T>) => bound.named.get(parameter.name) as T,
        now: () => state.clock.now(),
      }),
    );
  }
  return resolved;
}

async function digestOfTool(tool: string, binary: string, context: DecisionContext): Promise<Digest> {
  const entry = await context.state.files.at(absolutePath(binary));
  if (entry?.type !== "file") {
    throw new UserError(`the program "${tool}" cannot be read`, {
      code: "tool-unreadable",
      hint: "make it readable for your user, or install it again",
      where: binary,
    });
  }
  return entry.digest;
}

function outputReason(path: string, change: ListingChange["change"]): Reason {
  switch (change) {
    case "removed":
      return { kind: "output-missing", path };
    case "added":
      return { kind: "output-unexpected", path };
    case "changed":
    case "mode changed":
    case "type changed":
      return { kind: "output-edited", path };
  }
}

/** Names what differs between the last successful run and now. */
async function explainParts(
  bound: BoundTask,
  last: Stamp | undefined,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  if (last === undefined) return [{ kind: "first-run" }];
  if (last.fingerprint === now.fingerprint) return [{ kind: "unfinished" }];
  const before = new Map(last.parts);
  const reasons: Reason[] = [];
  for (const [label, value] of now.parts) {
    const old = before.get(label);
    before.delete(label);
    if (old === value) continue;
    const space = label.indexOf(" ");
    const kind = space === -1 ? label : label.slice(0, space);
    const name = label.slice(space + 1);
    if (old === undefined) reasons.push({ kind: "declaration-changed" });
    else reasons.push(...(await explainPart(bound, kind, name, old, value, now, context)));
  }
  if (before.size > 0) reasons.push({ kind: "declaration-changed" });
  // Several parts may change for one reason.
  return [...new Map(reasons.map((reason) => [JSON.stringify(reason), reason])).values()];
}

async function explainPart(
  bound: BoundTask,
  kind: string,
  name: string,
  old: string,
  value: string,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  switch (kind) {
    case "format":
      return [{ kind: "engine-changed" }];
    case "code":
      return [{ kind: "code-changed" }];
    case "param": {
      // What the task's own code calls it is nothing that its user has seen.
      const parameter = bound.task.params[name];
      const known = parameter?.kind === "arguments" ? "the arguments after --" : (parameter?.name ?? name);
      return old.startsWith("secret ") || value.startsWith("secret ")
        ? [{ kind: "parameter-changed", name: known }]
        : [{ kind: "parameter-changed", name: known, from: old, to: value }];
    }
    case "env":
      return [{ kind: "environment-changed", name }];
    case "tool":
      return [{ kind: "tool-changed", tool: name }];
    case "need": {
      const need = bound.task.needs[name];
      return [{ kind: "need-changed", need: need === undefined ? name : neededTask(need).name }];
    }
    case "input":
      return isDigest(old)
        ? explainInput(name, old, now, context)
        : [{ kind: "inputs-changed", input: name }];
    default:
      return [{ kind: "declaration-changed" }];
  }
}

async function explainInput(
  name: string,
  old: Digest,
  now: Assessment,
  context: DecisionContext,
): Promise<readonly Reason[]> {
  const before = context.state.store.readText(old);
  const input = now.inputs.find((one) => one.name === name);
  if (before === undefined || input === undefined) return [{ kind: "inputs-changed", input: name }];
  const listing = decodeListing(before);
  if (listing === undefined) return [{ kind: "inputs-changed", input: name }];
  const lines = await explainLines(input, listing, context);
  if (lines !== undefined) return [lines];
  return compareListings(listing, input.listing).map(({ path, change }) => ({
    kind: "input-changed",
    input: name,
    path,
    change,
  }));
}

/** The lines that changed in a text input; undefined for other inputs, and when the old text is not known. */
async function explainLines(
  input: ResolvedInput,
  before: Listing,
  context: DecisionContext,
): Promise<Reason | undefined> {
  if (input.declaration.kind !== "file" || !input.declaration.byLine) return undefined;
  const [[path, old] = []] = before;
  if (old !== undefined && old.type !== "file") return undefined;
  const oldText = old === undefined ? "" : context.state.store.readText(old.digest);
  if (oldText === undefined) return undefined;
  const lines = compareLines(withoutCredentials(oldText), (await textOf(input)) ?? "");
  if (lines.length === 0) return undefined;
  const shown = path ?? [...input.listing.keys()][0] ?? displayPath(context.state.workspace, input.root);
  return { kind: "lines-changed", input: input.name, path: shown, lines };
}

/**
 * The text of an input whose changes are told line by line, without the credentials in its URLs; undefined for others, and where there
 * is none.
 */
async function textOf(input: ResolvedInput): Promise<string | undefined> {
  if (input.declaration.kind !== "file" || !input.declaration.byLine) return undefined;
  if (input.listing.size === 0) return undefined;
  return withoutCredentials(input.selected ?? (await readFile(input.root, "utf8")));
}

/** The assessment as it would have been with these inputs: for tasks that rewrite one of theirs. */
export function reassess(assessment: Assessment, inputs: readonly ResolvedInput[]): Assessment {
  const digests = new Map(inputs.map((input) => [`input ${input.name}`, input.digest]));
  const parts = assessment.parts.map(([label, value]): Part => [label, digests.get(label) ?? value]);
  return { ...assessment, fingerprint: fingerprintOf(parts), parts, inputs };
}

/**
 * Keeps the listings of inputs, so that a later difference can be named file by file, and the texts whose differences
 * are told line by line. Returns the digests of these texts, which are for the owner only.
 */
export async function rememberInputs(
  inputs: readonly ResolvedInput[],
  state: State,
): Promise<readonly Digest[]> {
  const texts: Digest[] = [];
  for (const input of inputs) {
    if (!state.store.has(input.digest)) state.store.putText(encodeListing(input.listing), input.digest);
    const text = await textOf(input);
    if (text !== undefined) texts.push(state.store.putText(text, undefined, "private"));
  }
  return texts;
}
