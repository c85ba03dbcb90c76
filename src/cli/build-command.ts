/**
 * Building targets from the command line: events to the screen, signals to the engine, a summary at the end.
 */
import {
  type BuildEvent,
  build,
  type Command,
  type CommandContext,
  displayPath,
  forecast,
  type Graph,
  outputsOnDisk,
  removeProducts,
  type Target,
  type Task,
} from "../engine/index.ts";
import { encodeEvent } from "./event-stream.ts";
import { printForecast } from "./inspection.ts";
import { LiveDisplay } from "./live-reporter.ts";
import { PlainReporter } from "./plain-reporter.ts";
import type { Session } from "./session.ts";
import { formatBytes, formatSeconds } from "./style.ts";

/** Runs commands in the order given, and builds all tasks in one graph. */
export async function buildTargets(session: Session, targets: readonly Target[]): Promise<number> {
  const tasks = targets.filter((target): target is Task => target.kind === "task");
  const commands = targets.filter((target): target is Command => target.kind === "command");
  for (const command of commands) await command.run(commandContext(session));
  if (tasks.length === 0) return 0;
  return session.request.dryRun ? dryRun(session, tasks) : runBuild(session, tasks);
}

function commandContext(session: Session): CommandContext {
  return {
    value: async (parameter) => session.values.get(parameter),
    variant: session.request.variant,
    print: (line) => session.io.stdout.write(`${line}\n`),
    removeProducts: (options) => removeProducts(session.workspace, options, session.command),
  };
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

async function runBuild(session: Session, tasks: readonly Task[]): Promise<number> {
  const { io, style, request, workspace } = session;
  const startedAt = performance.now();
  const interruption = new AbortController();
  let signalled: "SIGINT" | "SIGTERM" | undefined;
  const live = usesLiveDisplay(session)
    ? new LiveDisplay({ write: (text) => io.stderr.write(text), columns: io.stderr.columns ?? 80 }, style)
    : undefined;
  const print = (line: string): void =>
    void (live === undefined ? io.stderr.write(`${line}\n`) : live.print(line));
  const reporter = new PlainReporter({
    style,
    verbose: request.verbose,
    quiet: request.quiet || request.json,
    progressLines: live === undefined && !request.quiet,
    print,
    logText: (digest) =>
      workspace.state.store.getText(digest as Parameters<typeof workspace.state.store.getText>[0]),
  });
  const onEvent = (event: BuildEvent): void => {
    if (request.json) io.stdout.write(`${encodeEvent(event)}\n`);
    live?.onEvent(event);
    reporter.onEvent(event);
  };
  const stopListening = io.onSignal((signal) => {
    if (signalled !== undefined) return;
    signalled = signal;
    print(`${style.yellow("interrupted:")} ending what runs`);
    interruption.abort();
  });
  try {
    const { outcome, graph } = await build(workspace, {
      targets: tasks,
      variant: request.variant,
      values: session.values,
      force: request.force,
      keepGoing: request.keepGoing,
      ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
      command: session.command,
      signal: interruption.signal,
      onEvent,
    });
    if (outcome === "interrupted") return statusOf(signalled);
    if (outcome === "failed") {
      print(failureLine(reporter, session));
      return 1;
    }
    await printSummary(session, tasks, graph, reporter, (performance.now() - startedAt) / 1000);
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return statusOf(signalled);
    throw error;
  } finally {
    live?.close();
    stopListening();
  }
}

function usesLiveDisplay({ io, request }: Session): boolean {
  const { CI, TERM } = io.env;
  return (
    io.stderr.isTTY === true &&
    !request.quiet &&
    !request.json &&
    TERM !== "dumb" &&
    (CI === undefined || CI === "")
  );
}

function statusOf(signal: "SIGINT" | "SIGTERM" | undefined): number {
  return signal === "SIGTERM" ? 143 : 130;
}

function failureLine(reporter: PlainReporter, { style }: Session): string {
  const { failed, skipped } = reporter.counts;
  const rest = skipped === 0 ? "" : `, ${skipped} that need${skipped === 1 ? "s" : ""} it skipped`;
  return `${style.red("failed:")} ${failed} task${failed === 1 ? "" : "s"}${rest}; what was built before is untouched`;
}

async function printSummary(
  session: Session,
  tasks: readonly Task[],
  graph: Graph,
  reporter: PlainReporter,
  seconds: number,
): Promise<void> {
  const { io, style, workspace, request } = session;
  if (request.json) return;
  const { fresh, restored, ran } = reporter.counts;
  if (!request.quiet) {
    const counts = [
      ...(ran === 0 ? [] : [`${ran} rebuilt`]),
      ...(restored === 0 ? [] : [`${restored} restored`]),
      ...(fresh === 0 ? [] : [`${fresh} fresh`]),
    ].join(", ");
    const what = ran + restored === 0 ? "nothing to do" : "done";
    io.stderr.write(`${style.bold(what)}: ${counts} in ${formatSeconds(seconds)}\n`);
  }
  for (const bound of graph.values()) {
    if (!tasks.includes(bound.task)) continue;
    for (const { output, entry } of await outputsOnDisk(bound, workspace.state)) {
      if (output.place !== "workspace" || entry.type !== "file") continue;
      const shown = displayPath(workspace.state.workspace, output.path);
      io.stdout.write(`${shown}  ${formatBytes(entry.size)}  sha256 ${entry.digest}\n`);
    }
  }
}
