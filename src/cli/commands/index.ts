/** What each command of the program runs: one row a command, and a name without a row does not compile. */
import { completionCommand } from "../completion/index.ts";
import { doctorCommand } from "../doctor/index.ts";
import { initCommand } from "../init/index.ts";
import { noWords } from "../options/command-words.ts";
import type { ProgramWord } from "../options/program-command.ts";
import type { Session } from "../session.ts";
import { affectedCommand } from "./affected.ts";
import { cacheCommand } from "./cache-command.ts";
import { graphCommand } from "./graph-command.ts";
import { listCommand } from "./list-command.ts";
import { logCommand } from "./log-command.ts";
import { renderManPage } from "./man-page.ts";
import { manualFor } from "./manual.ts";
import { matrixCommand } from "./matrix-command.ts";
import { settingsCommand } from "./settings-command.ts";
import { whyCommand } from "./why-command.ts";

/** `words` follow the command's name; `packageRoot` is the absolute path of the program's own directory. */
type Run = (session: Session, words: readonly string[], packageRoot: string) => number | Promise<number>;

export const commandRuns: Readonly<Record<ProgramWord, Run>> = {
  why: whyCommand,
  log: logCommand,
  list: listCommand,
  settings: settingsCommand,
  graph: graphCommand,
  affected: affectedCommand,
  matrix: matrixCommand,
  cache: cacheCommand,
  init: initCommand,
  doctor: doctorCommand,
  completion: (session, words, packageRoot) => completionCommand(session.io, words, packageRoot),
  manual: (session, words) => {
    noWords(words, "manual");
    session.io.stdout.write(renderManPage(manualFor([], session.workspace.taskfile), ["razor-mk", "task"]));
    return 0;
  },
};
