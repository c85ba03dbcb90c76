/**
 * Running a command of the Taskfile: what it may ask of the program, and what becomes of its failure or interruption.
 */
import {
  build,
  builtOutputs,
  type Command,
  type CommandContext,
  forecast,
  inputPaths,
  outputPathsOf,
  RunningCode,
  removeProducts,
  workAlone,
} from "../../engine/index.ts";
import { printable, UsageError } from "../../errors/index.ts";
import { type Display, openDisplay } from "../output/display.ts";
import { encodeLine } from "../output/event-stream.ts";
import type { Session } from "../session.ts";
import type { Io } from "../terminal/io.ts";
import { statusOf } from "../terminal/shutdown.ts";
import { buildFacts } from "./build-facts.ts";
import { givenOptions } from "./given-options.ts";
import { movedDuring } from "./moved-during.ts";
import { sessionCache } from "./remote-cache.ts";
import { watchServed } from "./watch-command.ts";

/** A build that a command asked for failed, and was reported. */
class ReportedFailure extends Error {
  override readonly name = "ReportedFailure";
}

/** Runs the command with the words behind its name; returns the exit status. */
export async function runCommand(
  session: Session,
  command: Command,
  words: readonly string[],
  reportFile?: string,
): Promise<number> {
  const run = session.request.dryRun ? command.dryRun : command.run;
  if (run === undefined) {
    const { io, request } = session;
    io.stdout.write(request.json ? "[]\n" : `${command.name}: would run, as commands always do\n`);
    return 0;
  }
  const display = openDisplay(session, { quietPipe: true });
  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => undefined);
  const running = new RunningCode({
    onError: (error) => fail(error),
    onEmpty: () => fail(new Error(`${command.name} waits for something that can no longer happen`)),
  });
  const stopListening = running.listen({ output: false });
  try {
    const owner = { name: command.name, print: () => {} };
    const work = running.run<unknown>(owner, display, () =>
      run(contextFor(session, command, words, display, reportFile)),
    );
    const status = await Promise.race([work, broken]);
    // A function that is said to return nothing may return anything, as an arrow before a call does.
    return typeof status === "number" ? status : 0;
  } catch (error) {
    if (display.signal.aborted) return display.endInterrupted();
    const status = command.failureStatus;
    if (error instanceof ReportedFailure) return status ?? 1;
    if (status === undefined) throw error;
    session.io.stderr.write(`${session.failure.of(error)}\n`);
    return status;
  } finally {
    stopListening();
    display.close();
  }
}

/** @throws UsageError `format-unknown` */
function formatOf({ name, formats = [] }: Command, given: string | undefined): string {
  const [first = ""] = formats;
  if (given === undefined || formats.includes(given)) return given ?? first;
  throw new UsageError(`--format is "${given}", but must be one of: ${formats.join(", ")}`, {
    code: "format-unknown",
    hint: `omit it for ${first}: task ${name}`,
  });
}

/** Waits for the program to be told to end, and keeps the process alive until it is closed. */
class End {
  /** The exit status then. */
  readonly status: Promise<number>;
  readonly close: () => void;

  constructor(io: Pick<Io, "onShutdown">) {
    const alive = setInterval(() => {}, 1_000_000);
    let stopListening = (): void => {};
    this.status = new Promise((resolve) => {
      stopListening = io.onShutdown((shutdown) => resolve(statusOf(shutdown)));
    });
    this.close = () => {
      clearInterval(alive);
      stopListening();
    };
  }
}

function contextFor(
  session: Session,
  command: Command,
  words: readonly string[],
  display: Display,
  reportFile: string | undefined,
): CommandContext {
  const { io, request, values, workspace } = session;
  const { signal, hurry, onEvent } = display;
  const kept = session.continued?.kept ?? {};
  const context: CommandContext = {
    words,
    value: async (parameter) => values.get(parameter),
    format: formatOf(command, request.format),
    against: request.against,
    reportFile,
    buildFacts: (targets) => buildFacts(session, targets),
    variant: request.variant,
    workspace: workspace.state.workspace,
    cwd: io.cwd,
    env: workspace.env,
    signal,
    print: (line) => io.stdout.write(request.json ? encodeLine(line) : `${printable(line)}\n`),
    show: (value, lines) =>
      io.stdout.write(
        // Escapes of characters that control a terminal mean the same in JSON.
        request.json
          ? `${printable(JSON.stringify(value))}\n`
          : lines.map((line) => `${printable(line)}\n`).join(""),
      ),
    write: async (bytes) => {
      if (request.json) {
        throw new UsageError(`\`${command.name}\` writes bytes, so it has no JSON output`, {
          code: "no-json",
          hint: "omit --json",
        });
      }
      await io.writeBytes(bytes, signal);
    },
    note: (message) => onEvent({ type: "note", message }),
    removeProducts: (options) => removeProducts(workspace, options, session.command),
    build: async (task) => {
      const remote = sessionCache(session, { onWarning: (message) => onEvent({ type: "note", message }) });
      const { outcome, graph, moved } = await build(workspace, {
        ...(remote === undefined ? {} : { remote }),
        targets: [task],
        variant: request.variant,
        values,
        force: request.force,
        keepGoing: request.keepGoing,
        ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
        command: session.command,
        signal,
        hurry,
        onEvent,
      }).finally(() => remote?.end(signal));
      signal.throwIfAborted();
      if (outcome === "failed") {
        display.print(display.failureLine());
        throw new ReportedFailure("the build failed");
      }
      if (moved.length > 0) throw movedDuring(moved);
      return outputPathsOf(task, graph);
    },
    serve: async (use) => {
      const { serves } = command;
      if (serves === undefined) throw new Error(`${command.name} does not say what it serves`);
      if (request.watch) {
        // The watch has a display of its own.
        display.close();
        return await watchServed(session, serves, { use, kept });
      }
      const end = new End(io);
      try {
        await context.build(serves);
        // From here on an end is no interruption of any work.
        display.close();
        await use();
        return await end.status;
      } finally {
        end.close();
      }
    },
    keep: async <T>(make: () => Promise<T>) => {
      kept.value ??= make();
      return (await kept.value) as T;
    },
    variants: Object.keys(workspace.taskfile.variants),
    builtOutputs: (task, variant) => builtOutputs(task, variant, workspace.state),
    inputsOf: (task) => inputPaths(workspace, { targets: [task], variant: request.variant, values }),
    forecast: async (task) => {
      const request = { targets: [task], variant: session.request.variant, values, force: new Set<string>() };
      const forecasts = await forecast(workspace, { ...request, partial: true });
      return forecasts.map(({ id, verdict }) => ({ name: id.split("@")[0] ?? id, verdict }));
    },
    given: () => givenOptions(session),
    alone: (work) =>
      workAlone(workspace, { name: command.name, command: session.command, signal, hurry, onEvent }, work),
  };
  return context;
}
