/** What a build would do, as lines or as JSON. It only renders: what would be done is the engine's. */
import { describeReason, type Forecast } from "../../engine/index.ts";
import { nameOf, reasonLine } from "../output/plain-reporter.ts";
import type { Session } from "../session.ts";

/** What a build would do with a task, by the verdict. */
export const verdictTexts = {
  fresh: "fresh",
  restore: "would be restored",
  run: "would run",
  maybe: "would maybe run",
  unknown: "unknown, an input is missing",
} as const;

export function printForecast({ io, request }: Session, forecasts: readonly Forecast[]): void {
  if (request.json) {
    const encoded = forecasts.map(({ id, verdict, reasons }) => ({
      task: id,
      verdict,
      reasons: reasons.map((reason) => ({ ...reason, text: describeReason(reason) })),
    }));
    io.stdout.write(`${JSON.stringify(encoded, undefined, 2)}\n`);
    return;
  }
  for (const { id, verdict, reasons } of forecasts) {
    io.stdout.write(
      `${nameOf(id)}: ${verdictTexts[verdict]}${reasons.length === 0 ? "" : `, ${reasonLine(reasons)}`}\n`,
    );
  }
}
