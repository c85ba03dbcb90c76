/** What a task touched without declaring it, said to the user: a note, or under `--strict` the task's failure. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { type BoundTask, neededSlots } from "../bind/bound-task.ts";
import type { Assessment } from "../decide/assessment.ts";
import type { AbsolutePath } from "../define/names.ts";
import { displayPath } from "../define/names.ts";
import { ignoredMatcher } from "../define/patterns.ts";
import { isMutable, type ResolvedInput } from "../files/input.ts";
import { type Audit, bothWays, type Declared } from "./audit.ts";
import type { AccessRecord } from "./code-access.ts";
import { undeclaredByCode } from "./code-audit.ts";
import type { ExecutionContext } from "./task-context.ts";

/** What the task's commands and its code did. */
export interface Witnesses {
  readonly commands: Audit;
  readonly code: AccessRecord;
}

/**
 * Returns one sentence for what the task touched without declaring it, undefined where there is nothing; `directory`
 * is its own one.
 * @throws UserError `undeclared-access` instead where the audit is strict.
 */
export async function undeclaredAccess(
  { commands, code }: Witnesses,
  bound: BoundTask,
  assessment: Assessment,
  directory: string,
  context: ExecutionContext,
): Promise<string | undefined> {
  const declared = await declaredBy(bound, assessment, directory, context);
  const show = (place: string): string => displayPath(context.state.workspace, place);
  const byCommands = (await commands.undeclared(declared)).map((one) => `${one.kind} ${show(one.path)}`);
  const byCode = undeclaredByCode(code.all, declared).map(({ kind, path: place }) =>
    kind === "ran" ? `ran ${place}` : `${kind} ${show(place)}`,
  );
  const message = [
    ...(byCommands.length === 0 ? [] : [`its commands used undeclared files: ${listed(byCommands)}`]),
    ...(byCode.length === 0 ? [] : [`its code used undeclared files: ${listed(byCode)}`]),
  ].join("; ");
  if (message === "") return undefined;
  if (context.audit === "strict") {
    throw new UserError(message, {
      code: "undeclared-access",
      hint: "declare these as inputs or outputs, or work in the scratch directory",
    });
  }
  return message;
}

async function declaredBy(
  bound: BoundTask,
  { inputs, binaries }: Assessment,
  directory: string,
  context: ExecutionContext,
): Promise<Declared> {
  const { store, workspace } = context.state;
  const needs = [...bound.needs].flatMap(([name, id]) => {
    const slots = neededSlots(bound, name);
    const places = id === undefined ? [] : [...context.outputsOf(id)];
    return places.filter(([slot]) => slots?.includes(slot) ?? true).map(([, place]) => place);
  });
  return {
    directories: [store.root, ...needs],
    files: [...binaries, ...inputs.filter((input) => !keepsLinks(input)).flatMap(filesOf)],
    unfollowed: inputs.filter(keepsLinks).flatMap(filesOf),
    writable: [directory],
    mutable: inputs.filter(isMutable).map(({ root }) => root),
    ...(context.program === undefined ? {} : { program: context.program }),
    isIgnored: await leftOutOf(inputs, workspace),
  };
}

/** Whether a file is one that an input would mean, did it not leave it out. */
async function leftOutOf(
  inputs: readonly ResolvedInput[],
  workspace: AbsolutePath,
): Promise<(file: string) => boolean> {
  const all = await Promise.all(
    inputs.map(async ({ declaration, root }) => {
      if (declaration.kind === "file") return () => false;
      const [directory] = bothWays([root]).slice(-1);
      const isLeftOut = await ignoredMatcher(declaration, root, workspace);
      return (file: string) =>
        file.startsWith(`${directory}/`) && isLeftOut(path.relative(`${directory}`, file));
    }),
  );
  return (file) => all.some((isLeftOut) => isLeftOut(file));
}

/** So many of them as can be read. */
export function listed(items: readonly string[]): string {
  const more = items.length - 10;
  return [...items.slice(0, 10), ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

function filesOf({ declaration, root, paths, behind }: ResolvedInput): readonly string[] {
  return declaration.kind === "file"
    ? [root]
    : [...paths.map((relative) => `${root}/${relative}`), ...behind];
}

/** Whether what its links lead to is no part of the input. */
function keepsLinks({ declaration }: ResolvedInput): boolean {
  return declaration.kind === "files" && declaration.links === "keep";
}
