/**
 * The program that goes on after its own sources changed: made of them as they are now, and tried before anything is handed
 * over to it. It knows nothing of watching.
 */
import type { Session } from "./session.ts";

/**
 * The program made of the sources, of which those in `changes` (relative to the workspace) changed; undefined, and the reason
 * said, where they are not in order.
 */
export async function nextProgram(session: Session, changes: readonly string[], say: (line: string) => void) {
  const { io, reload, style, request } = session;
  if (reload === undefined) return undefined;
  const next = await reload();
  // It says itself what is wrong with it: it has classes of errors, and a compiled form, of its own.
  const wrong =
    typeof next === "string" ? next.trimEnd() : await next.check({ ...next.start, noted: session.noted }, io);
  if (typeof next !== "string" && wrong === undefined) return next;
  if (request.json)
    io.stdout.write(`${JSON.stringify({ v: 1, type: "definitions-kept", changes, text: wrong })}\n`);
  say(wrong ?? "");
  say(`${style.red("✗")} ${changes.join(", ")} changed: the tasks stay as they were before`);
  return undefined;
}
