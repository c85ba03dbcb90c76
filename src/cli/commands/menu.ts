/**
 * The menu: what can be built, for whom, and which version it would get. On a terminal a target can be chosen from it;
 * elsewhere it is printed. How keys become a choice it does not know; picker.ts does.
 */
import type { Parameter, Target } from "../../engine/index.ts";
import { messageOf, printableName, UsageError } from "../../errors/index.ts";
import { choicesOf, parametersOf } from "../options/option-table.ts";
import { aliasesOf, listedTargets, targetLines, targetLinesByGroup } from "../options/target-name.ts";
import type { Session } from "../session.ts";
import { choiceTerminal, choose } from "../terminal/choose.ts";
import type { Choice } from "../terminal/picker.ts";
import { styleFor } from "../terminal/style.ts";
import { wrap } from "./help.ts";

/** Shows the menu, and runs what is chosen from it: `run` gets the words that the chosen command line has at its end. */
export async function menuCommand(
  session: Session,
  run: (words: readonly string[]) => Promise<number>,
): Promise<number> {
  const { io, request, workspace } = session;
  const terminal = request.json || request.quiet ? undefined : choiceTerminal(io);
  if (terminal === undefined && request.watch)
    throw new UsageError("a watch needs a target", {
      code: "watch-target",
      hint: "name what to build again at each change: task TARGET --watch",
    });
  if (terminal === undefined) return printMenu(session);

  const sources = await SourceChoice.of(session);
  const banner = await bannerOf(session);
  const choice = await choose(io, {
    banner: () => [...banner, ...(sources === undefined ? [] : [` source ${sources.current}`])],
    choices: targetsToChoose(session),
    first: Object.values(workspace.taskfile.aliases ?? {})[0],
    style: styleFor(io.stdout, io.env),
    terminal,
    enter: "runs",
    ...(sources === undefined ? {} : { tab: { changes: "the source", onTab: () => sources.advance() } }),
  });
  if ("status" in choice) return choice.status;
  const words = [...(sources?.words ?? []), choice.value.name];
  io.stderr.write(`${session.style.dim(`$ ${[session.command, ...words].join(" ")}`)}\n`);
  return await run(words);
}

/** The source that the menu shows, and the others that it offers. */
class SourceChoice {
  readonly #names: readonly string[];
  #index = 0;

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Undefined for a Taskfile whose option `source` has nothing to choose from. */
  static async of({ workspace, values }: Session): Promise<SourceChoice | undefined> {
    const source = parametersOf(workspace.taskfile).find(isSource);
    if (source === undefined) return undefined;
    const value = await values.get(source);
    const shown = source.recorded?.(value) ?? value;
    const names = [...new Set([`${shown}`, ...choicesOf(source, workspace.state.workspace)])];
    return names.length > 1 ? new SourceChoice(names) : undefined;
  }

  get current(): string {
    return this.#names[this.#index] ?? "";
  }

  advance(): void {
    this.#index = (this.#index + 1) % this.#names.length;
  }

  /** The option for a source other than the one that the command line has already. */
  get words(): readonly string[] {
    return this.#index === 0 ? [] : ["--source", this.current];
  }
}

function isSource({ name, kind }: Parameter<unknown>): boolean {
  return name === "source" && kind === "choice";
}

function targetsToChoose({ workspace: { taskfile } }: Session): readonly Choice<Target>[] {
  const lines = targetLines(taskfile);
  return listedTargets(taskfile).map((target, index) => ({
    value: target,
    names: [target.name, ...aliasesOf(target, taskfile)],
    label: lines[index]?.[0] ?? target.name,
    description: target.description,
    heading: target.group,
  }));
}

async function printMenu(session: Session): Promise<number> {
  const style = styleFor(session.io.stdout, session.io.env);
  const { taskfile } = session.workspace;
  const columns = Math.max(40, session.io.stdout.columns ?? 80);
  const width = Math.max(...targetLines(taskfile).map(([name]) => name.length)) + 2;
  const blocks = targetLinesByGroup(taskfile).map(({ title, lines }) => [
    ...(title === undefined ? [] : [` ${title}`]),
    ...lines.map(([name, description]) => {
      const text = wrap(`- ${description}`, columns, width + 4);
      return `  ${style.cyan(name.padEnd(width))}${text}`;
    }),
  ]);
  session.io.stdout.write(
    `${[await bannerOf(session), ...blocks].map((lines) => lines.join("\n")).join("\n\n")}\n\n  task <target> builds a target; task --help lists the options\n`,
  );
  return 0;
}

async function bannerOf(session: Session): Promise<readonly string[]> {
  const { taskfile } = session.workspace;
  const style = styleFor(session.io.stdout, session.io.env);
  const variant = taskfile.variants[session.request.variant];
  const version = taskfile.version === undefined ? undefined : await versionText(session);
  return [
    `         ${style.bold(taskfile.title)}`,
    ...(version === undefined ? [] : [` version ${version}`]),
    ` variant ${session.request.variant}${variant === undefined ? "" : ` (${variant.description})`}`,
  ];
}

/** A menu is shown even where there is no version to be had: it says why instead. */
async function versionText(session: Session): Promise<string> {
  const parameter = session.workspace.taskfile.version;
  if (parameter === undefined) return "";
  try {
    return await session.values.get(parameter);
  } catch (error) {
    return `unknown (${printableName(messageOf(error))})`;
  }
}
