/**
 * The program that goes on after its own sources changed: made of them as they are now, and tried before anything is
 * handed over to it.
 */
import type { SourceFile } from "../../engine/index.ts";
import type { Session } from "../session.ts";
import type { NextProgram } from "../start.ts";

/**
 * Compiles the changed sources (`changes`, relative to the workspace) and returns the new program. Where they are invalid,
 * reports the reason and returns the files that define the tasks now, as they were compiled.
 */
export async function nextProgram(
  session: Session,
  changes: readonly string[],
  say: (line: string) => void,
): Promise<NextProgram | readonly SourceFile[]> {
  const { io, reload, style, request } = session;
  if (reload === undefined) return [];
  const next = await reload();
  // It says itself what is wrong with it: it has classes of errors, and a compiled form, of its own.
  const isFaulty = "text" in next;
  const wrong = isFaulty
    ? next.text.trimEnd()
    : await next.check({ ...next.start, noted: session.noted }, io);
  if (!isFaulty && wrong === undefined) return next;
  if (request.json)
    io.stdout.write(`${JSON.stringify({ v: 1, type: "definitions-kept", changes, text: wrong })}\n`);
  say(wrong ?? "");
  say(`${style.red("✗")} ${changes.join(", ")} changed, but the previous tasks stay in use`);
  return isFaulty ? next.sources : next.start.manifest.sources;
}
