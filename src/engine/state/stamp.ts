/**
 * Stamps: the records of successful runs, kept in a log. A result is found by its fingerprint; which result a task's
 * outputs on disk are now, by the task's id.
 */
import { type Digest, type Fingerprint, isDigest, type TaskId } from "../define/names.ts";
import type { RecordLog } from "../files/record-log.ts";

/** One thing that a fingerprint covers: a label such as `param source`, and its value or digest. */
export type Part = readonly [label: string, value: string];

export interface Stamp {
  readonly fingerprint: Fingerprint;
  readonly parts: readonly Part[];
  /** The outputs as an encoded listing; paths are `slot` or `slot/path`. */
  readonly outputs: string;
  /** How long the run took, in seconds. */
  readonly seconds: number;
  /** Blob with the captured output, where there was any. */
  readonly log?: Digest;
  /** Blobs with the texts of inputs whose changes are shown line by line. */
  readonly texts?: readonly Digest[];
  /** What its artifacts' paths were computed from, where no part tells it. */
  readonly facts?: readonly Part[];
}

export class Stamps {
  readonly #log: RecordLog;
  readonly #parsed = new Map<Fingerprint, Stamp>();

  constructor(log: RecordLog) {
    this.#log = log;
  }

  /** The result that the task's outputs were when last seen whole. */
  currentFingerprint(id: TaskId): Fingerprint | undefined {
    return this.#log.get(`current ${id}`) as Fingerprint | undefined;
  }

  /** That result. It is not cached in memory: callers that ask for all tasks' results use each once. */
  current(id: TaskId): Stamp | undefined {
    const fingerprint = this.currentFingerprint(id);
    if (fingerprint === undefined) return undefined;
    const text = this.#log.get(`result ${fingerprint}`);
    return text === undefined ? undefined : stampIn(text, fingerprint);
  }

  /** The result of the last run that succeeded, even if its outputs are gone: what a new one is compared with. */
  last(id: TaskId): Stamp | undefined {
    const fingerprint = this.#log.get(`last ${id}`);
    return fingerprint === undefined ? undefined : this.result(fingerprint as Fingerprint);
  }

  result(fingerprint: Fingerprint): Stamp | undefined {
    const known = this.#parsed.get(fingerprint);
    if (known !== undefined) return known;
    const text = this.#log.get(`result ${fingerprint}`);
    if (text === undefined) return undefined;
    const stamp = stampIn(text, fingerprint);
    if (stamp !== undefined) this.#parsed.set(fingerprint, stamp);
    return stamp;
  }

  /** Every result, with the time of its last use in milliseconds since the epoch. */
  *results(): IterableIterator<{ readonly stamp: Stamp; readonly usedAt: number }> {
    for (const [key, text] of this.#log.entries()) {
      if (!key.startsWith("result ")) continue;
      const stamp = stampIn(text, key.slice("result ".length));
      const usedAt = Number(this.#log.get(`used ${stamp?.fingerprint}`));
      if (stamp !== undefined) yield { stamp, usedAt: Number.isFinite(usedAt) ? usedAt : 0 };
    }
  }

  /** The results that tasks' outputs are, or were last. */
  *owners(): IterableIterator<{ readonly id: TaskId; readonly fingerprint: Fingerprint }> {
    for (const [key, value] of this.#log.entries()) {
      const [, id] = /^(?:current|last) (.*)$/s.exec(key) ?? [];
      if (id !== undefined) yield { id: id as TaskId, fingerprint: value as Fingerprint };
    }
  }

  /** Fingerprints of the results that outputs on disk belong to, and of those that stand for tasks without them. */
  *currentFingerprints(): IterableIterator<Fingerprint> {
    for (const [key, value] of this.#log.entries())
      if (/^(current|deferred) /.test(key)) yield value as Fingerprint;
  }

  /** The result that stands for the task although its outputs are not here: nobody needed them yet. */
  deferred(id: TaskId): Stamp | undefined {
    const fingerprint = this.#log.get(`deferred ${id}`);
    return fingerprint === undefined ? undefined : this.result(fingerprint as Fingerprint);
  }

  /** Notes that the task's result is this one, and that its outputs were not brought here. */
  defer(id: TaskId, stamp: Stamp, now: number): void {
    this.#log.delete(`current ${id}`);
    this.#keep(stamp, now);
    this.#log.set(`last ${id}`, stamp.fingerprint);
    this.#log.set(`deferred ${id}`, stamp.fingerprint);
    this.#log.flush();
  }

  /** From here until `record` the task has no result on disk. Written at once: a crash must not leave it believed. */
  drop(id: TaskId): void {
    this.#log.delete(`current ${id}`);
    this.#log.delete(`deferred ${id}`);
    this.#log.flush();
  }

  #keep(stamp: Stamp, now: number): void {
    this.#log.set(`result ${stamp.fingerprint}`, JSON.stringify(stamp));
    this.#log.set(`used ${stamp.fingerprint}`, String(now));
  }

  /** Notes that the task's outputs are now this result. Readers get it from the log, which holds it anyway. */
  record(id: TaskId, stamp: Stamp, now: number): void {
    this.#keep(stamp, now);
    this.#log.delete(`deferred ${id}`);
    this.#log.set(`last ${id}`, stamp.fingerprint);
    this.#log.set(`current ${id}`, stamp.fingerprint);
    this.#log.flush();
  }

  /**
   * Forgets the least recently used results, except those that are on disk or that a next run is compared
   * with, until all take at most `most` characters, or four times what the remaining ones take. False when none is too many.
   */
  thin(most: number): boolean {
    const needed = new Set<string>();
    const results: { readonly fingerprint: Fingerprint; readonly length: number }[] = [];
    for (const [key, value] of this.#log.entries()) {
      if (/^(current|last|deferred) /.test(key)) needed.add(value);
      else if (key.startsWith("result "))
        results.push({ fingerprint: key.slice("result ".length) as Fingerprint, length: value.length });
    }
    let total = 0;
    let spare = 0;
    for (const { fingerprint, length } of results) {
      total += length;
      if (!needed.has(fingerprint)) spare += length;
    }
    const limit = Math.max(most, 4 * (total - spare));
    if (total <= limit) return false;
    const used = ({ fingerprint }: { readonly fingerprint: Fingerprint }): number =>
      Number(this.#log.get(`used ${fingerprint}`) ?? 0);
    const superseded = results.filter(({ fingerprint }) => !needed.has(fingerprint));
    // Removes down to half of the limit, so that this is needed only after many more runs.
    for (const { fingerprint, length } of superseded.sort((a, b) => used(a) - used(b))) {
      if (total <= limit / 2) break;
      this.forget(fingerprint);
      total -= length;
    }
    return true;
  }

  /** Forgets a result whose content is gone. */
  forget(fingerprint: Fingerprint): void {
    this.#parsed.delete(fingerprint);
    this.#log.delete(`result ${fingerprint}`);
    this.#log.delete(`used ${fingerprint}`);
  }
}

/**
 * The stamp in a record; undefined where the record does not have the form of one. A checksum says that a record is whole,
 * not who wrote it. The outputs are checked against their task elsewhere.
 */
function stampIn(text: string, fingerprint: string): Stamp | undefined {
  let found: Partial<Record<keyof Stamp, unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { parts, outputs, seconds, log, texts, facts } = found;
  const sound =
    isDigest(fingerprint) &&
    found.fingerprint === fingerprint &&
    Array.isArray(parts) &&
    parts.every(isPart) &&
    typeof outputs === "string" &&
    typeof seconds === "number" &&
    seconds >= 0 &&
    (log === undefined || isDigest(log)) &&
    (texts === undefined || (Array.isArray(texts) && texts.every(isDigest))) &&
    (facts === undefined || (Array.isArray(facts) && facts.every(isPart)));
  return sound ? (found as Stamp) : undefined;
}

/** Parts are printed when they change, so one with an escape character is refused (a real one never has any). */
function isPart(part: unknown): boolean {
  if (!Array.isArray(part) || part.length !== 2) return false;
  const [label, value] = part as readonly unknown[];
  if (typeof label !== "string" || typeof value !== "string") return false;
  return !value.includes("\u001b") && (!label.startsWith("input ") || isDigest(value));
}
