/**
 * Building targets from the command line: events to the screen, signals to the engine, a summary at the end.
 */
import path from "node:path";
import { build, type Command, forecast, type Target, type Task } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { HeapGrowth } from "../../host/index.ts";
import { type Artifact, artifactLine, artifactsOf } from "../output/artifact.ts";
import { openDisplay } from "../output/display.ts";
import { countsText, type PlainReporter } from "../output/plain-reporter.ts";
import { addToRemoteTotals } from "../output/remote-totals.ts";
import { standardOutput } from "../output/report-file.ts";
import { RunLogWriter } from "../output/run-log.ts";
import type { Session } from "../session.ts";
import { callBack } from "../terminal/attention.ts";
import { formatSeconds } from "../terminal/style.ts";
import { sessionExecution } from "./execution.ts";
import { printForecast } from "./forecast-text.ts";
import { movedDuring, movedText } from "./moved-during.ts";
import { sessionCache, trafficLine } from "./remote-cache.ts";
import { runCommand } from "./run-command.ts";
import { leaveRecord, NoOpDetector } from "./up-to-date.ts";
import { wantedTasks } from "./wanted-tasks.ts";

/** Runs commands in the order given, and builds all tasks in one graph. */
export async function buildTargets(session: Session, targets: readonly Target[]): Promise<number> {
  const asked = targets.filter((target): target is Task => target.kind === "task");
  const tasks = await wantedTasks(asked, session.workspace.taskfile, session.values);
  const commands = targets.filter((target): target is Command => target.kind === "command");
  for (const command of commands) {
    const status = await runCommand(session, command, []);
    if (status !== 0) return status;
  }
  if (tasks.length === 0) return 0;
  if (session.request.dryRun) return dryRun(session, tasks);
  const report = reportCommand(session);
  const status = await runBuild(session, tasks);
  if (report === undefined) return status;
  const written = await runCommand(session, report.command, [], report.file);
  return status === 0 ? written : status;
}

/** The command that writes the report which `--report` asks for, and the file's absolute path. */
function reportCommand({
  request,
  io,
  workspace,
}: Session): { readonly command: Command; readonly file: string } | undefined {
  if (request.report === undefined) return undefined;
  const command = workspace.taskfile.report;
  if (command !== undefined) return { command, file: path.resolve(io.cwd, request.report) };
  throw new UsageError("the Taskfile has no report, so --report cannot be written", {
    code: "option-conflict",
    hint: "omit --report, or use --summary or --trace",
  });
}

async function dryRun(session: Session, tasks: readonly Task[]): Promise<number> {
  const { request, values, workspace } = session;
  const forecasts = await forecast(workspace, {
    targets: tasks,
    variant: request.variant,
    values,
    force: request.force,
  });
  printForecast(session, forecasts);
  return 0;
}

/** Maximum number of builds in a row when a parameter's value changes during each. */
const mostAttempts = 3;

async function runBuild(session: Session, tasks: readonly Task[], attempt = 1): Promise<number> {
  const { request, workspace } = session;
  const startedAt = performance.now();
  const display = openDisplay(session);
  const noOpDetector = new NoOpDetector();
  const heap = new HeapGrowth();
  const log = new RunLogWriter(workspace.state);
  const remote = sessionCache(session, {
    onWarning: (message) => display.onEvent({ type: "note", message }),
    onTransfer: display.onTransfer,
    onUpload: display.onUpload,
  });
  const execution = await sessionExecution(session);
  try {
    const { outcome, graph, moved } = await build(workspace, {
      targets: tasks,
      variant: request.variant,
      values: session.values,
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
        heap.look();
        noOpDetector.onEvent(event);
        log.onEvent(event);
        remote?.onEvent(event);
        display.onEvent(event);
      },
    });
    const traffic = await remote?.end(display.signal);
    if (traffic !== undefined) addToRemoteTotals(workspace.state, traffic);
    if (outcome === "succeeded" && moved.length > 0) {
      if (attempt === mostAttempts) throw movedDuring(moved);
      display.onEvent({ type: "note", message: `${movedText(moved)}: building again` });
      display.close();
      return await runBuild({ ...session, values: session.freshValues() }, tasks, attempt + 1);
    }
    const artifacts = outcome === "succeeded" ? await artifactsOf(session.workspace.state, tasks, graph) : [];
    display.record(artifacts, traffic);
    if (outcome === "interrupted") return display.endInterrupted();
    if (outcome === "failed") {
      display.print(display.failureLine());
      return 1;
    }
    display.close();
    printSummary(session, artifacts, display.reporter, (performance.now() - startedAt) / 1000);
    if (traffic !== undefined && !request.quiet && !request.json)
      session.io.stderr.write(`${trafficLine(traffic)}\n`);
    // A command that was named beside the targets has its effect every time.
    const alone = tasks.length === session.request.words.length;
    if (alone && noOpDetector.holds(session)) await leaveRecord(session, graph);
    return 0;
  } catch (error) {
    display.record([]);
    if (display.signal.aborted) return display.endInterrupted();
    throw error;
  } finally {
    await remote?.close();
    // The log is of what was asked for: a repetition does the rest of it.
    if (attempt === 1) log.write(session.command);
    display.close();
    callBack(session.io, (performance.now() - startedAt) / 1000, !request.quiet && !request.json);
  }
}

function printSummary(
  session: Session,
  artifacts: readonly Artifact[],
  reporter: PlainReporter,
  seconds: number,
): void {
  const { io, style, request } = session;
  if (request.json) return;
  const { restored, ran, savedSeconds } = reporter.counts;
  if (!request.quiet) {
    const what = ran + restored === 0 ? "nothing to do" : "done";
    // Less than a second is not worth a word.
    const saved = savedSeconds < 1 ? "" : `, ${formatSeconds(savedSeconds)} saved`;
    const line = (elapsed: string): string =>
      `${style.bold(what)}: ${countsText(reporter.counts)} in ${elapsed}${saved}\n`;
    session.recordedOutput.writeTimed(line, formatSeconds(seconds));
  }
  // A report on standard output is a document, which nothing else may stand in.
  const output =
    request.summary === standardOutput || request.trace === standardOutput ? io.stderr : io.stdout;
  for (const artifact of artifacts) output.write(`${artifactLine(artifact)}\n`);
}
