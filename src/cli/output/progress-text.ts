/**
 * How far a task is, in as many words as there is room for. It neither draws nor knows what time it is.
 */
import type { Progress } from "../../engine/index.ts";
import { formatBytes, truncate } from "../terminal/style.ts";

interface Measured {
  /** Since the task began. */
  readonly seconds: number;
  /** Bytes a second over the last seconds; undefined while nothing comes. */
  readonly rate: number | undefined;
  /** Seconds of the last run, where there was one. */
  readonly expected: number | undefined;
  /** Columns, at most. */
  readonly room: number;
}

/** `████░░░░ 12.3 MB of 40.1 MB, 2.1 MB/s, 13 s left: bash.tcz, ruby.tcz`, as far as it is known and fits. */
export function progressText(items: readonly Progress[], measured: Measured): string {
  if (items.length === 0) return expectedText(measured);
  const { room } = measured;
  const unit = items[0]?.unit ?? "items";
  const show = unit === "bytes" ? formatBytes : String;
  const done = amountDone(items);
  const complete = items.every((item) => item.total !== undefined);
  const total = complete ? items.reduce((sum, item) => sum + (item.total ?? 0), 0) : undefined;
  const share = total === undefined || total === 0 ? undefined : done / total;
  const rate = unit === "bytes" ? measured.rate : undefined;
  const left = rate === undefined || total === undefined ? 0 : (total - done) / rate;
  const parts = [total === undefined ? show(done) : `${show(done)} of ${show(total)}`];
  if (rate !== undefined) parts.push(`${formatBytes(rate)}/s`);
  if (left > 0.5) parts.push(`${timeLeft(left)} left`);
  const figures = joinWithin(parts, share, room);
  const start = share === undefined ? figures : withBar(share, figures, room);
  // What waits for its turn has brought nothing yet.
  const names = items.filter((item) => item.done > 0 && item.done !== item.total).map((item) => item.item);
  const rest = room - start.length - 2;
  return names.length === 0 || rest < 8 ? start : `${start}: ${truncate(names.join(", "), rest)}`;
}

/** The amount done over all items, in their unit. */
export function amountDone(items: readonly Progress[]): number {
  return items.reduce((sum, item) => sum + item.done, 0);
}

/** `42 s`, `3 min`, `2 h 10 min`, `3 days`: rounded, since it is an estimate. */
function timeLeft(seconds: number): string {
  if (seconds < 99.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** As many of the parts, from the first on, as fit; where not even one does, the share in per cent. */
function joinWithin(parts: readonly string[], share: number | undefined, room: number): string {
  for (let count = parts.length; count > 0; count -= 1) {
    const text = parts.slice(0, count).join(", ");
    if (text.length <= room) return text;
  }
  const text = share === undefined ? "" : `${Math.floor(share * 100)} %`;
  return text.length <= room ? text : "";
}

/** How much of the last run's time is over: all that is known of a step that does not say how far it is. */
function expectedText({ seconds, expected, room }: Measured): string {
  if (expected === undefined || expected < 2 || seconds > expected) return "";
  const text = joinWithin([`about ${timeLeft(expected - seconds)} left`], undefined, room);
  return text === "" ? "" : withBar(seconds / expected, text, room);
}

/** Two widths only: a bar that changes its width with every figure behind it could not be read. */
function withBar(share: number, text: string, room: number): string {
  const width = [20, 10].find((one) => one + 1 + text.length <= room);
  if (width === undefined) return text;
  const full = Math.round(Math.min(1, share) * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${text}`;
}
