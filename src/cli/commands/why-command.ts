/** `task why TARGET`: what would rerun, every reason of the target that was asked about, and its key among machines. It writes nothing. */
import { forecast } from "../../engine/index.ts";
import { oneWord } from "../options/command-words.ts";
import { findTask, inItsPlace } from "../options/target-name.ts";
import { nameOf, reasonText } from "../output/plain-reporter.ts";
import type { Session } from "../session.ts";
import { printForecast } from "./forecast-text.ts";
import { explainRemotely, remoteLines } from "./remote-explanation.ts";

/** What a build would do, with the full list of reasons for the target that was asked about. */
export async function whyCommand(session: Session, words: readonly string[]): Promise<number> {
  const { taskfile } = session.workspace;
  const task = inItsPlace(
    findTask(oneWord(words, "why <target>"), taskfile),
    taskfile,
    session.request.given,
  );
  const { request, values, workspace } = session;
  const forecasts = await forecast(workspace, {
    targets: [task],
    variant: request.variant,
    values,
    force: request.force,
  });
  const asked = forecasts.at(-1);
  const remote = asked === undefined ? undefined : await explainRemotely(session, asked);
  printForecast(
    session,
    forecasts,
    asked === undefined || remote === undefined ? undefined : { asked, remote },
  );
  if (asked !== undefined && asked.reasons.length > 1 && !request.json) {
    session.io.stdout.write(`\nall reasons for ${nameOf(asked.id)}:\n`);
    for (const reason of asked.reasons) session.io.stdout.write(`  ${reasonText(reason)}\n`);
  }
  if (asked !== undefined && remote !== undefined && !request.json)
    session.io.stdout.write(`\n${remoteLines(remote, asked).join("\n")}\n`);
  return 0;
}
