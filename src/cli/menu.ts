/**
 * The menu: what can be built, for whom, and which version it would get. Printed when no target is named.
 */

import { messageOf } from "../errors/index.ts";
import type { Session } from "./session.ts";
import { styleFor } from "./style.ts";
import { targetLines } from "./target-name.ts";

export async function printMenu(session: Session): Promise<number> {
  const { taskfile } = session.workspace;
  const style = styleFor(session.io.stdout, session.io.env);
  const lines = targetLines(taskfile);
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  const variant = taskfile.variants[session.request.variant];
  const version = taskfile.version === undefined ? undefined : await versionText(session);
  const banner = [
    `         ${style.bold(taskfile.title)}`,
    ...(version === undefined ? [] : [` version ${version}`]),
    ` variant ${session.request.variant}${variant === undefined ? "" : ` (${variant.description})`}`,
  ];
  const rows = lines.map(([name, description]) => `  ${style.cyan(name.padEnd(width))}- ${description}`);
  session.io.stdout.write(
    `${banner.join("\n")}\n\n${rows.join("\n")}\n\n  task <target> builds it; task --help lists the options\n`,
  );
  return 0;
}

/** A menu is shown even where there is no version to be had: it says why instead. */
async function versionText(session: Session): Promise<string> {
  const parameter = session.workspace.taskfile.version;
  if (parameter === undefined) return "";
  try {
    return await session.values.get(parameter);
  } catch (error) {
    return `unknown (${messageOf(error)})`;
  }
}
