/** What a new project's Taskfile sets as defaults: said by options, or else asked on a terminal. */
import path from "node:path";
import { UsageError } from "../../errors/index.ts";
import { choicesOf, parametersOf } from "../options/option-table.ts";
import type { Session } from "../session.ts";
import { choiceTerminal, choose } from "../terminal/choose.ts";
import type { Choice } from "../terminal/picker.ts";

export interface ProjectDefaults {
  readonly variant?: string;
  readonly source?: string;
}

/**
 * The defaults for the project in the directory `root`; templates are in `packageRoot`. Both paths are absolute. The exit status of the program if the user leaves a
 * question. Throws `UsageError` for a source that may not be written down.
 */
export async function projectDefaults(
  session: Session,
  root: string,
  packageRoot: string,
): Promise<ProjectDefaults | number> {
  const variant = await defaultVariant(session);
  if (typeof variant === "number") return variant;
  const source = await defaultSource(session, root, packageRoot);
  if (typeof source === "number") return source;
  return { ...(variant === undefined ? {} : { variant }), ...(source === undefined ? {} : { source }) };
}

async function defaultVariant(session: Session): Promise<string | number | undefined> {
  const { request, workspace } = session;
  if (request.variantOrigin.from === "command line") return request.variant;
  const choices = Object.entries(workspace.taskfile.variants).map(([name, { description }]) => ({
    value: name,
    names: [name],
    label: name,
    description,
  }));
  return await ask(session, "Which variant is built by default?", choices, request.variant);
}

async function defaultSource(
  session: Session,
  root: string,
  packageRoot: string,
): Promise<string | number | undefined> {
  const { io, request, values, workspace } = session;
  const source = parametersOf(workspace.taskfile).find(({ name }) => name === "source");
  if (source === undefined) return undefined;
  const value = `${await values.get(source)}`;
  if (request.origins.get("source")?.from === "command line") {
    if (!(await values.mayBeRecorded(source)))
      throw new UsageError("--source has a password, which the Taskfile would show", {
        code: "init-secret",
        hint: "omit the option here, and give it to each build",
      });
    // Relative to the current directory, as it was typed; in the Taskfile, relative to the project.
    return /^\.{1,2}(\/|$)/.test(value) ? `./${path.relative(root, path.resolve(io.cwd, value))}` : value;
  }
  const choices = choicesOf(source, packageRoot).map((name) => ({
    value: name,
    names: [name],
    label: name,
    description: "",
  }));
  return await ask(session, "Which source are extensions taken from by default?", choices, value);
}

/** Undefined without a terminal, or if there is only one choice. */
async function ask(
  { io, style, request }: Session,
  question: string,
  choices: readonly Choice<string>[],
  first: string,
): Promise<string | number | undefined> {
  const terminal = request.quiet || request.json ? undefined : choiceTerminal(io);
  if (terminal === undefined || choices.length < 2) return undefined;
  const answer = await choose(io, {
    banner: () => [question],
    choices,
    first,
    style,
    terminal,
    enter: "chooses",
  });
  return "status" in answer ? answer.status : answer.value;
}
