/** What a step says about its downloads. */
import type { Progress } from "../../src/engine/index.ts";
import type { FetchEvent } from "../../src/fetch/index.ts";

/** Shows an event of a download as progress or as a note. */
export function reportEvent(
  event: FetchEvent,
  {
    progress,
    note,
  }: { readonly progress: (progress: Progress) => void; readonly note: (message: string) => void },
): void {
  switch (event.type) {
    case "download-planned":
      progress({ item: event.name, done: 0, total: event.total, unit: "bytes" });
      break;
    case "download-progress":
      progress({
        item: event.name,
        done: event.bytes,
        unit: "bytes",
        ...(event.total === undefined ? {} : { total: event.total }),
      });
      break;
    case "download-done":
      if (event.status === "fetched")
        progress({ item: event.name, done: event.bytes, total: event.bytes, unit: "bytes" });
      break;
    case "download-slow":
      note(
        `${event.name}: the rate is only ${event.rate} bytes per second; the download fails below ${event.leastRate} over ${event.seconds} s (--least-rate)`,
      );
      break;
    case "download-retry":
      note(`${event.name}: ${event.reason}; retrying (${event.attempt + 1} of ${event.attempts})`);
      break;
    case "warning":
      note(event.where === undefined ? event.message : `${event.where}: ${event.message}`);
      break;
    case "download-start":
    case "download-failed":
      break;
  }
}
