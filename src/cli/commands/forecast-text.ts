/** What a build would do, as lines or as JSON. It only renders: what would be done is the engine's. */
import { describeReason, type Forecast } from "../../engine/index.ts";
import { nameOf, reasonLine } from "../output/plain-reporter.ts";
import type { Session } from "../session.ts";
import type { RemoteExplanation } from "./remote-explanation.ts";

/** What a build would do with a task, by the verdict. */
export const verdictTexts = {
  fresh: "fresh",
  restore: "would be restored",
  run: "would run",
  maybe: "would maybe run",
  unknown: "unknown, an input is missing",
} as const;

/** `more` is what JSON says of one of the tasks, beside the forecast; `name` gives the name that a task is shown by. */
export function printForecast(
  { io, request }: Session,
  forecasts: readonly Forecast[],
  more?: { readonly asked: Forecast; readonly remote: RemoteExplanation },
  name: (id: string) => string = nameOf,
): void {
  if (request.json) {
    const encoded = forecasts.map((one) => ({
      task: one.id,
      verdict: one.verdict,
      reasons: one.reasons.map((reason) => ({ ...reason, text: describeReason(reason) })),
      ...(one === more?.asked ? more.remote : {}),
    }));
    io.stdout.write(`${JSON.stringify(encoded, undefined, 2)}\n`);
    return;
  }
  for (const { id, verdict, reasons } of forecasts) {
    io.stdout.write(
      `${name(id)}: ${verdictTexts[verdict]}${reasons.length === 0 ? "" : `, ${reasonLine(reasons)}`}\n`,
    );
  }
}
