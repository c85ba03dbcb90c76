/** `task matrix TARGET… --over NAME=VALUE,…`: the targets for every combination, in one build, and a table of what was made. */
import {
  build,
  type Choice,
  type Combination,
  combine,
  forecast,
  type Task,
  variantAxis,
} from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { matrixAxes } from "../options/matrix-axes.ts";
import { parametersOf } from "../options/option-table.ts";
import { findTask, inItsPlace } from "../options/target-name.ts";
import { openDisplay } from "../output/display.ts";
import { encodeRow, MatrixRecord, tableLines } from "../output/matrix-table.ts";
import { countsText } from "../output/plain-reporter.ts";
import { addToRemoteTotals } from "../output/remote-totals.ts";
import { standardOutput } from "../output/report-file.ts";
import { RunLogWriter } from "../output/run-log.ts";
import type { Session } from "../session.ts";
import { counted, formatSeconds } from "../terminal/style.ts";
import { sessionExecution } from "./execution.ts";
import { printForecast } from "./forecast-text.ts";
import { movedDuring } from "./moved-during.ts";
import { sessionCache, trafficLine } from "./remote-cache.ts";
import { wantedTasks } from "./wanted-tasks.ts";

/** Images of one matrix: more are an oversight, such as a version in a list of its own. */
const mostCombinations = 1000;

export async function matrixCommand(session: Session, words: readonly string[]): Promise<number> {
  const { request, workspace } = session;
  if (words.length === 0)
    throw new UsageError("`matrix` needs a target", {
      code: "usage",
      hint: "name it: task matrix iso --over variant=dev,prod",
    });
  const axes = matrixAxes(request, workspace.taskfile, session.io.cwd);
  const combinations: Combination[] = [];
  for (const choices of combine(axes, mostCombinations))
    combinations.push(await combinationOf(session, words, choices));
  const targets = [...new Set(combinations.flatMap((combination) => combination.targets))];
  return request.dryRun
    ? await dryRun(session, targets, combinations)
    : await runMatrix(session, targets, combinations);
}

async function combinationOf(
  session: Session,
  words: readonly string[],
  choices: readonly Choice[],
): Promise<Combination> {
  const { request, workspace, valuesWith } = session;
  const { taskfile } = workspace;
  const options = new Map(choices);
  const variant = options.get(variantAxis) ?? request.variant;
  options.delete(variantAxis);
  const values = valuesWith(variant, options);
  values.checkGiven(parametersOf(taskfile));
  const given = new Map([...request.given, ...options]);
  const asked = words.map((word) => inItsPlace(findTask(word, taskfile), taskfile, given));
  return { targets: await wantedTasks(asked, taskfile, values), variant, values, choices };
}

/** What a build is asked for: the first combination stands where one is expected. */
function matrixRequest(targets: readonly Task[], combinations: readonly Combination[]) {
  const [first] = combinations;
  if (first === undefined) throw new Error("a matrix without combinations");
  return { targets, variant: first.variant, values: first.values, matrix: combinations };
}

async function dryRun(
  session: Session,
  targets: readonly Task[],
  combinations: readonly Combination[],
): Promise<number> {
  const forecasts = await forecast(session.workspace, {
    ...matrixRequest(targets, combinations),
    force: session.request.force,
  });
  printForecast(session, forecasts, undefined, fullName);
  return 0;
}

/** Tasks of several variants stand beside one another, so the name alone would be ambiguous. */
function fullName(id: string): string {
  return id;
}

async function runMatrix(
  session: Session,
  targets: readonly Task[],
  combinations: readonly Combination[],
): Promise<number> {
  const { request, workspace, io, style } = session;
  const startedAt = performance.now();
  const display = openDisplay(session, { nameOf: fullName });
  const record = new MatrixRecord();
  const log = new RunLogWriter(workspace.state);
  const remote = sessionCache(session, {
    onWarning: (message) => display.onEvent({ type: "note", message }),
    onTransfer: display.onTransfer,
    onUpload: display.onUpload,
  });
  const execution = await sessionExecution(session);
  try {
    const { outcome, graph, moved } = await build(workspace, {
      ...matrixRequest(targets, combinations),
      force: request.force,
      keepGoing: request.keepGoing,
      ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
      audit: request.audit,
      ...(remote === undefined ? {} : { remote }),
      ...(execution === undefined ? {} : { execution }),
      command: session.command,
      signal: display.signal,
      hurry: display.hurry,
      onEvent: (event) => {
        record.onEvent(event);
        log.onEvent(event);
        remote?.onEvent(event);
        display.onEvent(event);
      },
    });
    const traffic = await remote?.end(display.signal);
    if (traffic !== undefined) addToRemoteTotals(workspace.state, traffic);
    if (outcome === "succeeded" && moved.length > 0) throw movedDuring(moved);
    const rows = outcome === "interrupted" ? [] : await record.rows(graph, combinations, workspace.state);
    if (request.json) for (const row of rows) io.stdout.write(encodeRow(row));
    display.record(
      rows.flatMap(({ artifacts }) => artifacts),
      traffic,
    );
    if (outcome === "interrupted") return display.endInterrupted();
    if (outcome === "failed") display.print(display.failureLine());
    display.close();
    if (!request.quiet && !request.json) {
      const seconds = formatSeconds((performance.now() - startedAt) / 1000);
      const made = rows.filter((row) => row.outcome === "succeeded").length;
      const counts = countsText(display.reporter.counts);
      const head = style.bold(`${made} of ${counted(rows.length, "combination")}`);
      io.stderr.write(`${head}: ${counts} in ${seconds}\n`);
      if (traffic !== undefined) io.stderr.write(`${trafficLine(traffic)}\n`);
    }
    // A report on standard output is a document, which nothing else may stand in.
    const isDocument = request.summary === standardOutput || request.trace === standardOutput;
    if (!request.json)
      for (const line of tableLines(rows, style)) (isDocument ? io.stderr : io.stdout).write(`${line}\n`);
    return outcome === "failed" ? 1 : 0;
  } catch (error) {
    display.record([]);
    if (display.signal.aborted) return display.endInterrupted();
    throw error;
  } finally {
    await remote?.close();
    log.write(session.command);
    display.close();
  }
}
