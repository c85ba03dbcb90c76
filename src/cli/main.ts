/**
 * The program: reads the command line, loads the Taskfile, does what was asked and returns the exit status. The
 * table of contents of this directory; it knows the engine, and nothing of what the tasks make.
 */

import path from "node:path";
import {
  absolutePath,
  bind,
  ParameterValues,
  prefetchValues,
  requireTaskfile,
  State,
  type Task,
  type Taskfile,
} from "../engine/index.ts";
import { printable, systemErrorCode, UsageError } from "../errors/index.ts";
import { installHint } from "../host/index.ts";
import { buildTargets } from "./commands/build-command.ts";
import { renderHelp } from "./commands/help.ts";
import { commandRuns } from "./commands/index.ts";
import { manualFor } from "./commands/manual.ts";
import { menuCommand } from "./commands/menu.ts";
import { runCommand } from "./commands/run-command.ts";
import { shownCommand } from "./commands/shown-command.ts";
import { watchTargets } from "./commands/watch-command.ts";
import { answerQuestion } from "./completion/index.ts";
import { parseCommandLine, type Request } from "./options/command-line.ts";
import { refuseInteractive } from "./options/interactive.ts";
import { givenFor } from "./options/matrix-axes.ts";
import { checkWords } from "./options/name-conflict.ts";
import { refuseConflicts } from "./options/option-conflict.ts";
import { parametersOf, remoteVariables } from "./options/option-table.ts";
import { requireProject } from "./options/outside-project.ts";
import { isProgramWord } from "./options/program-command.ts";
import { programVersion } from "./options/program-version.ts";
import { secretVariables } from "./options/secret-value.ts";
import { findTarget, findTask, inItsPlace } from "./options/target-name.ts";
import { ciNotes } from "./output/ci-annotation.ts";
import { codeIndexOf } from "./output/code-index.ts";
import { FailureText } from "./output/failure.ts";
import { RecordedOutput } from "./output/recorded-output.ts";
import { checkReport } from "./output/report-file.ts";
import { SourceStack } from "./output/source-stack.ts";
import type { Session } from "./session.ts";
import type { Start } from "./start.ts";
import { type Io, processIo } from "./terminal/io.ts";
import { styleFor } from "./terminal/style.ts";

/** Runs the program and returns its exit status: 0, 1 failed, 2 wrong usage, 130 and 143 when interrupted. */
export async function main(start: Start, outside: Io = processIo()): Promise<number> {
  const recordedOutput = new RecordedOutput(outside);
  const { io } = recordedOutput;
  const failure = failureTextOf(start, io);
  try {
    const taskfile = await loadedTaskfile(start);
    const answer = answerQuestion(start.argv, start.outside === true ? undefined : taskfile, start.workspace);
    if (answer !== undefined) {
      io.stdout.write(answer);
      return 0;
    }
    const parsed = parseCommandLine(start.argv, taskfile, io);
    if (parsed.kind === "request") {
      if (start.outside === true) requireProject(parsed.request.words, taskfile);
      refuseConflicts(parsed.request, taskfile.targets);
    }
    if (parsed.kind === "version") {
      io.stdout.write(`razor-mk ${programVersion}\n`);
      return 0;
    }
    if (parsed.kind === "help") {
      const manual = manualFor(parsed.words, taskfile);
      io.stdout.write(renderHelp(manual, styleFor(io.stdout, io.env), io.stdout.columns));
      return 0;
    }
    const session = openSession(start, taskfile, parsed.request, recordedOutput);
    return await dispatch(session, start);
  } catch (error) {
    if (systemErrorCode(error) === "EPIPE") return 0;
    io.stderr.write(`${failure.of(error)}\n`);
    const annotation = ciNotes(io.env)?.annotation(error);
    if (annotation !== undefined) io.stderr.write(`${annotation}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The text of a stray error, which no caller awaits. */
export function strayText(start: Start, error: unknown): string {
  return `${failureTextOf(start, processIo()).of(error)}\n`;
}

/** What is wrong with the tasks as they are defined now, if they cannot be built: before a watch goes on with them. */
export async function check(start: Start, io: Io): Promise<string | undefined> {
  try {
    await tryOut(start, io);
    return undefined;
  } catch (error) {
    return failureTextOf(start, io).of(error);
  }
}

async function tryOut(start: Start, io: Io): Promise<void> {
  const taskfile = await loadedTaskfile(start);
  const parsed = parseCommandLine(start.argv, taskfile, io);
  if (parsed.kind !== "request") return;
  const { words, variant, given } = parsed.request;
  const { workspace, freshValues } = openSession(start, taskfile, parsed.request, new RecordedOutput(io));
  const targets = words.map((word) => inItsPlace(watchedTask(word, taskfile), taskfile, given));
  await bind(workspace, { targets, variant, values: freshValues() });
}

/** The task of this name, or the one that the command of this name serves. */
function watchedTask(word: string, taskfile: Taskfile): Task {
  const target = findTarget(word, taskfile);
  return target.kind === "command" && target.serves !== undefined ? target.serves : findTask(word, taskfile);
}

async function loadedTaskfile({ loadTaskfile, manifest, workspace }: Start): Promise<Taskfile> {
  const { locate } = codeIndexOf(manifest, path.resolve(workspace));
  const taskfile = requireTaskfile(await loadTaskfile(), locate);
  checkWords(taskfile, locate);
  return taskfile;
}

function failureTextOf({ argv, manifest, workspace }: Start, io: Io): FailureText {
  const verbose = argv.some((word) => word === "-v" || word === "--verbose");
  return new FailureText(styleFor(io.stderr, io.env), verbose, new SourceStack(manifest, workspace));
}

function openSession(
  start: Start,
  taskfile: Taskfile,
  request: Request,
  recordedOutput: RecordedOutput,
): Session {
  const { io } = recordedOutput;
  io.hideFromChildren([
    ...secretVariables(parametersOf(taskfile)),
    remoteVariables.url,
    remoteVariables.header,
  ]);
  const style = styleFor(io.stderr, io.env);
  const noted = start.noted ?? new Set<string>();
  const [first = ""] = request.words;
  // Notes about an image are for builds; commands that answer a question print none.
  const isTold = !request.quiet && (first === "matrix" || !isProgramWord(first)) && !request.dryRun;
  const note = (message: string): void => {
    if (isTold && !noted.has(message)) io.stderr.write(`${style.yellow("note:")} ${printable(message)}\n`);
    noted.add(message);
  };
  for (const message of request.notes) note(message);
  if (request.trace !== undefined) checkReport("--trace", request.trace);
  if (request.report !== undefined) checkReport("--report", request.report);
  if (request.summary !== undefined) checkReport("--summary", request.summary);
  const root = absolutePath(start.workspace);
  const host = { root, env: io.env, variant: request.variant, note, origins: request.origins };
  const values = new ParameterValues(request.given, host);
  const freshValues = (): ParameterValues => {
    const fresh = new ParameterValues(request.given, host);
    prefetchValues(namedTasks(request.words, taskfile), fresh, request.variant);
    return fresh;
  };
  const valuesWith = (variant: string, choices: ReadonlyMap<string, string>): ParameterValues => {
    const given = givenFor(variant, request, parametersOf(taskfile), note);
    return new ParameterValues(new Map([...given, ...choices]), { ...host, variant });
  };
  // Also what no named target uses: a wrong value is refused before anything runs.
  values.checkGiven(parametersOf(taskfile));
  // Processes that compute defaults run while the state is read.
  prefetchValues(namedTasks(request.words, taskfile), values, request.variant);
  const command = shownCommand(start.argv, taskfile);
  if (command !== ["task", ...start.argv].join(" ")) io.setTitle(command);
  return {
    io,
    style,
    failure: failureTextOf(start, io),
    request,
    values,
    isOutside: start.outside === true,
    command,
    sources: start.manifest.sources,
    freshValues,
    valuesWith,
    jobProgram: start.jobProgram,
    reload: start.reload,
    continued: start.continued,
    noted,
    recordedOutput,
    record: start.record,
    workspace: {
      taskfile,
      state: new State(root),
      code: codeIndexOf(start.manifest, path.resolve(start.workspace)),
      toolHint: installHint,
      env: io.env,
    },
  };
}

function namedTasks(words: readonly string[], taskfile: Taskfile): readonly Task[] {
  return words.flatMap((word) => {
    const named = taskfile.aliases?.[word] ?? taskfile.targets.find((target) => target.name === word);
    const task = named?.kind === "command" ? named.serves : named;
    return task === undefined ? [] : [task];
  });
}

/** The same program with more words on its command line, in every program that a watch makes of changed sources too. */
function startWith({ record: _, ...start }: Start, words: readonly string[]): Start {
  const { reload } = start;
  const argv = [...start.argv, ...words];
  if (reload === undefined) return { ...start, argv };
  const reloadWith = async (): ReturnType<typeof reload> => {
    const next = await reload();
    return "text" in next ? next : { ...next, start: startWith(next.start, words) };
  };
  return { ...start, argv, reload: reloadWith };
}

async function dispatch(session: Session, start: Start): Promise<number> {
  const [first, ...rest] = session.request.words;
  if (first === undefined) return menuCommand(session, (words) => main(startWith(start, words), session.io));
  if (isProgramWord(first)) return commandRuns[first](session, rest, start.manifest.packageRoot);
  const { taskfile } = session.workspace;
  const find = (word: string) => inItsPlace(findTarget(word, taskfile), taskfile, session.request.given);
  const target = find(first);
  if (target.kind === "command") {
    const canWatch = target.serves !== undefined && rest.length === 0;
    if (session.request.watch && !canWatch) return watchTargets(session, [target]);
    if (session.request.watch || target.takes !== undefined) return runCommand(session, target, rest);
  }
  const targets = [target, ...rest.map(find)];
  refuseInteractive(session.request, targets);
  return session.request.watch ? watchTargets(session, targets) : buildTargets(session, targets);
}
