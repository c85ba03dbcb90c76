/** What a task's result depends on, as it is now: its inputs, tools and other parts, and the fingerprint of all of them. */
import { UserError } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { neededTools, usefulTools } from "../bind/optional-tool.ts";
import { findTool, locateTool, type ToolHint } from "../bind/tool.ts";
import type { AbsolutePath, Digest, Fingerprint } from "../define/names.ts";
import { absolutePath } from "../define/names.ts";
import type { Parameter } from "../define/parameter.ts";
import { type ResolvedInput, resolveInput } from "../files/input.ts";
import type { Part } from "../state/stamp.ts";
import type { State } from "../state/state.ts";
import type { CodeIndex } from "./code-index.ts";
import { fingerprintOf, partsOf } from "./fingerprint.ts";

export interface DecisionContext {
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

/** Assesses one task. Throws `UserError` when a tool or an input is missing. */
export async function assess(
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

/** The assessment as it would have been with these inputs: for tasks that rewrite one of theirs. */
export function reassess(assessment: Assessment, inputs: readonly ResolvedInput[]): Assessment {
  const digests = new Map(inputs.map((input) => [`input ${input.name}`, input.digest]));
  const parts = assessment.parts.map(([label, value]): Part => [label, digests.get(label) ?? value]);
  return { ...assessment, fingerprint: fingerprintOf(parts), parts, inputs };
}
