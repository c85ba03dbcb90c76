/**
 * `doctor`: what a build needs of this machine, what is there of it, and how to get the rest. The table of contents of
 * this directory; what only the project can check is in its Taskfile.
 */
import { existsSync } from "node:fs";
import { type Check, type CheckContext, isDigest, ParameterValues } from "../../engine/index.ts";
import type { Session } from "../session.ts";
import { styleFor } from "../terminal/style.ts";
import { checkCache } from "./cache.ts";
import { checkFileSystem } from "./file-system.ts";
import { failed, type Line } from "./line.ts";
import { checkEmulation, checkLocale, checkNode, checkSpace } from "./machine.ts";
import { checkRemoteCache } from "./remote-cache.ts";
import { checkTools, tasksToBuild } from "./tools.ts";

/** Prints what was found, one line a check or as JSON; status 1 when something is missing. */
export async function doctorCommand(
  session: Session,
  words: readonly string[],
  packageRoot: string,
): Promise<number> {
  const { io, request } = session;
  const lines = await examine(session, words, packageRoot);
  if (request.json) io.stdout.write(`${JSON.stringify(lines, undefined, 2)}\n`);
  else io.stdout.write(report(session, lines));
  return lines.some(({ status }) => status === "missing") ? 1 : 0;
}

async function examine(
  session: Session,
  words: readonly string[],
  packageRoot: string,
): Promise<readonly Line[]> {
  const { workspace, request } = session;
  const root = workspace.state.workspace;
  const interruption = new AbortController();
  const stopListening = session.io.onShutdown(() => interruption.abort());
  // Nobody is to be told twice that a default is used, and the report is no place for it.
  const values = new ParameterValues(request.given, {
    root,
    env: session.io.env,
    variant: request.variant,
    note: () => {},
    origins: request.origins,
  });
  const context: CheckContext = {
    value: async (parameter) => values.get(parameter),
    workspace: root,
    env: session.io.env,
    isStored: (sha256) => isDigest(sha256) && workspace.state.store.has(sha256),
    storedFile: (sha256) => {
      const file = isDigest(sha256) ? workspace.state.store.pathOf(sha256) : undefined;
      return file !== undefined && existsSync(file) ? file : undefined;
    },
    signal: interruption.signal,
  };
  try {
    const { tasks, project } = await tasksToBuild(session, values, words);
    const used = new Set(tasks.flatMap(({ task }) => Object.values(task.params).map(({ name }) => name)));
    const own = (workspace.taskfile.checks ?? [])
      .filter(({ concerns }) => concerns === undefined || used.has(concerns.name))
      .map((check) => runCheck(check, context));
    return [
      checkNode(packageRoot),
      ...project,
      ...(await checkTools(tasks)),
      await checkSpace(root),
      ...(await checkFileSystem(root)),
      checkCache(workspace),
      ...(request.remoteCache === undefined
        ? []
        : [await checkRemoteCache(request.remoteCache, interruption.signal)]),
      ...(await Promise.all(own)),
      await checkEmulation(),
      checkLocale(session.io.env),
    ];
  } finally {
    stopListening();
  }
}

async function runCheck(check: Check, context: CheckContext): Promise<Line> {
  try {
    return { check: check.name, ...(await check.run(context)) };
  } catch (error) {
    return { check: check.name, ...failed(error) };
  }
}

function report(session: Session, lines: readonly Line[]): string {
  const style = styleFor(session.io.stdout, session.io.env);
  const width = Math.max(...lines.map(({ check }) => check.length)) + 2;
  const signs = { good: style.green("✓"), advice: style.yellow("!"), missing: style.red("✗") } as const;
  const rows = lines.map(({ check, status, text, hint }) => {
    const advice = hint === undefined ? "" : `\n    ${style.dim("hint:")} ${hint}`;
    return `${signs[status]} ${check.padEnd(width)}${text}${advice}`;
  });
  const missing = lines.filter(({ status }) => status === "missing").map(({ check }) => check);
  const verdict =
    missing.length === 0
      ? `${style.bold("well:")} all requirements are met`
      : `${style.bold("not yet:")} ${missing.join(", ")}`;
  return `${rows.join("\n")}\n\n${verdict}\n`;
}
