/**
 * The menu: what can be built, for whom, and which version it would get. On a terminal a target can be chosen from it;
 * elsewhere it is printed. How keys become a choice it does not know; picker.ts does.
 */
import type { Target } from "../../engine/index.ts";
import { messageOf, printableName, UsageError } from "../../errors/index.ts";
import { refuseInteractive } from "../options/interactive.ts";
import { aliasesOf, listedTargets, targetLines, targetLinesByGroup } from "../options/target-name.ts";
import type { Session } from "../session.ts";
import type { Choice } from "../terminal/picker.ts";
import { type Shutdown, statusOf } from "../terminal/shutdown.ts";
import { styleFor } from "../terminal/style.ts";
import { buildTargets } from "./build-command.ts";
import { wrap } from "./help.ts";
import { runCommand } from "./run-command.ts";
import { watchTargets } from "./watch-command.ts";

/** Shows the menu, and runs what is chosen from it. */
export async function menuCommand(session: Session): Promise<number> {
  const { io, request, workspace } = session;
  const { TERM, CI, ACCESSIBLE } = io.env;
  const isDumb = TERM === "dumb" || (CI ?? "") !== "" || (ACCESSIBLE ?? "") !== "";
  const terminal = isDumb || request.json || request.quiet ? undefined : io.terminal();
  if (terminal === undefined && request.watch)
    throw new UsageError("a watch needs a target", {
      code: "watch-target",
      hint: "name what to build again at each change: task TARGET --watch",
    });
  if (terminal === undefined) return printMenu(session);

  const interruption = new AbortController();
  let shutdown: Shutdown | undefined;
  const stopListening = io.onShutdown((now) => {
    shutdown = now;
    interruption.abort();
  });
  let chosen: Target | undefined;
  try {
    const { pick } = await import("../terminal/picker.ts");
    chosen = await pick({
      banner: await bannerOf(session),
      choices: choicesOf(session),
      first: Object.values(workspace.taskfile.aliases ?? {})[0],
      style: styleFor(io.stdout, io.env),
      terminal,
      signal: interruption.signal,
      onInterrupt: () => {
        shutdown = "SIGINT";
      },
    });
  } finally {
    stopListening();
  }
  if (shutdown !== undefined) return statusOf(shutdown);
  if (chosen === undefined) return 0;
  io.stderr.write(`${session.style.dim(`$ ${[session.command, chosen.name].join(" ")}`)}\n`);
  refuseInteractive(request, [chosen]);
  if (request.watch) return watchTargets(session, [chosen]);
  return chosen.kind === "command" ? runCommand(session, chosen, []) : buildTargets(session, [chosen]);
}

function choicesOf({ workspace: { taskfile } }: Session): readonly Choice<Target>[] {
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
