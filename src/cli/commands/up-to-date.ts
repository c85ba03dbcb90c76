/**
 * What a build without anything to do leaves for the next one: what it looked at, and what it said. The file itself is
 * the launcher's, which reads it before this program is loaded; here is only what it is made of.
 */
import { type BuildEvent, dependenciesOf, type Graph } from "../../engine/index.ts";
import { parametersOf } from "../options/option-table.ts";
import type { Session } from "../session.ts";

/** Whether the build did nothing but look, so that another one with the same dependencies would print the same. */
export class NoOpDetector {
  #quiet = true;

  onEvent(event: BuildEvent): void {
    this.#quiet &&= ["build-started", "task-fresh", "build-finished"].includes(event.type);
  }

  holds({ request }: Session): boolean {
    const wantsMore =
      request.json ||
      request.verbose ||
      request.trace !== undefined ||
      request.report !== undefined ||
      request.audit !== "off";
    return this.#quiet && !wantsMore && request.summary === undefined;
  }
}

/** Leaves the record of a build that had nothing to do, unless some of its dependencies are not known. */
export async function leaveRecord(session: Session, graph: Graph): Promise<void> {
  const { record, recordedOutput, request, workspace, values } = session;
  const environment = recordedOutput.environment;
  if (record === undefined || environment === undefined || !recordedOutput.isReplayable) return;
  for (const parameter of parametersOf(workspace.taskfile))
    if (!(await values.mayBeRecorded(parameter))) return;
  const dependencies = await dependenciesOf(graph, workspace.state, values);
  if (dependencies === undefined) return;
  const looks = new Map(dependencies.looks);
  for (const { path, digest } of session.sources) looks.set(path, digest !== "");
  record.write({
    environment,
    looks,
    followed: [...dependencies.followed, ...request.read],
    said: recordedOutput.said,
  });
}
