/** Results on their way to the server, beside the build: contents first, then the action, and last of all the result. */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import {
  type BlobReference,
  type RemoteResult,
  type RemoteTransfer,
  type ResultKey,
  type Store,
  Turns,
} from "../engine/index.ts";
import { messageOf } from "../errors/index.ts";
import { encodeAction } from "./action.ts";
import { encodeResult } from "./action-result.ts";
import type { CacheClient } from "./client.ts";
import type { Health } from "./health.ts";
import type { Blob } from "./message.ts";

/** Results, and contents of their own, that are sent at once. */
const width = 4;

/** Contents of jobs that are sent at once, beside them. */
const sendsAtOnce = 8;

interface Offer {
  /** What is sent, for messages. */
  readonly what: string;
  readonly send: () => Promise<void>;
}

export class UploadQueue {
  readonly #client: CacheClient;
  readonly #health: Health;
  readonly #onTransfer: (transfer: RemoteTransfer) => void;
  readonly #waiting: Offer[] = [];
  readonly #working = new Set<Promise<void>>();
  /** Digests that the server is known to have. */
  readonly #there = new Set<string>();
  readonly #sending = new Map<string, Promise<boolean>>();
  readonly #sends = new Turns(sendsAtOnce);
  readonly #never = new AbortController().signal;
  /** Results that the server has now. */
  stored = 0;

  constructor(client: CacheClient, health: Health, onTransfer: (transfer: RemoteTransfer) => void) {
    // As many wait for a turn as there are contents of jobs.
    setMaxListeners(0, this.#never);
    this.#onTransfer = onTransfer;
    this.#client = client;
    this.#health = health;
  }

  /** What is not there yet. */
  get pending(): number {
    return this.#waiting.length + this.#working.size;
  }

  /** Adds a result, with all contents that it refers to. */
  addResult(key: ResultKey, result: RemoteResult, store: Store): void {
    const send = () => this.#sendResult(key, result, store);
    this.#add({ what: `the result of ${key.task}`, send });
  }

  /** Sends a content now, ahead of what waits, unless the server has it; whether it has it then. Rejects for damaged contents. */
  send(blob: BlobReference, store: Store): Promise<boolean> {
    return this.#sends.take(0, this.#never, () => this.#putContent(blob, store));
  }

  /** Adds a content that no result refers to. */
  addContent(blob: BlobReference, store: Store): void {
    const send = async (): Promise<void> => void (await this.#putContent(blob, store));
    this.#add({ what: `the content ${blob.digest}`, send });
  }

  #add(offer: Offer): void {
    this.#waiting.push(offer);
    this.#next();
  }

  /** Resolves when nothing is left to send; `onProgress` is told how much is. */
  async settled(onProgress: (left: number) => void = () => {}): Promise<void> {
    while (this.#working.size > 0) {
      onProgress(this.pending);
      await Promise.race(this.#working);
    }
  }

  /** Forgets what is not being sent yet. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#working.size < width) {
      const offer = this.#waiting.shift();
      if (offer === undefined) return;
      const work = this.#send(offer).finally(() => {
        this.#working.delete(work);
        this.#next();
      });
      this.#working.add(work);
    }
  }

  async #send({ what, send }: Offer): Promise<void> {
    try {
      await send();
    } catch (error) {
      this.#health.warn(`${what} was not uploaded: ${messageOf(error)}`);
    }
  }

  async #sendResult(key: ResultKey, result: RemoteResult, store: Store): Promise<void> {
    const { action, blobs } = encodeAction(key);
    const { result: message, trees } = encodeResult(result);
    for (const blob of contentsOf(result)) if (!(await this.#putContent(blob, store))) return;
    for (const blob of [...trees, ...blobs, action]) if (!(await this.#putMessage(blob))) return;
    if (await this.#client.put("ac", action.digest, message.size, once(message.bytes))) this.stored += 1;
  }

  #putContent(blob: BlobReference, store: Store): Promise<boolean> {
    return this.#once(blob.digest, () => this.#sendContent(blob, store));
  }

  #putMessage(blob: Blob): Promise<boolean> {
    return this.#once(blob.digest, () => this.#sendMessage(blob));
  }

  /** What two results contain is sent once, also when both are sent at the same time. */
  #once(digest: string, send: () => Promise<boolean>): Promise<boolean> {
    let sending = this.#sending.get(digest);
    if (sending === undefined) {
      sending = send();
      this.#sending.set(digest, sending);
      sending.finally(() => this.#sending.delete(digest)).catch(() => undefined);
    }
    return sending;
  }

  async #sendContent({ digest, size }: BlobReference, store: Store): Promise<boolean> {
    if (await this.#isThere(digest)) return true;
    const content = store.read(digest);
    if (content === undefined || content.size !== size) return false;
    const startedAt = performance.now();
    const isGood = await this.#client.put("cas", digest, size, verified(digest, content.chunks));
    const seconds = (performance.now() - startedAt) / 1000;
    this.#onTransfer({ kind: "upload", name: digest, bytes: size, seconds, isGood });
    if (isGood) this.#there.add(digest);
    return isGood;
  }

  async #sendMessage({ digest, size, bytes }: Blob): Promise<boolean> {
    if (await this.#isThere(digest)) return true;
    if (!(await this.#client.put("cas", digest, size, once(bytes)))) return false;
    this.#there.add(digest);
    return true;
  }

  async #isThere(digest: Blob["digest"]): Promise<boolean> {
    if (this.#there.has(digest)) return true;
    const isThere = (await this.#client.has(digest)) === true;
    if (isThere) this.#there.add(digest);
    return isThere;
  }
}

/** The contents that a result refers to, each once; of what is joined its parts. */
function contentsOf({ outputs, joined, log }: RemoteResult): readonly BlobReference[] {
  const contents = new Map<string, BlobReference>();
  for (const entry of outputs.values())
    if (entry.type === "file")
      for (const content of joined?.get(entry.digest) ?? [entry]) contents.set(content.digest, content);
  if (log !== undefined) contents.set(log.digest, log);
  return [...contents.values()];
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The chunks; the last one is kept back when they are not what the digest says, so that the server never has the whole. */
async function* verified(digest: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const sum = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (held !== undefined) yield held;
    sum.update(chunk);
    held = chunk;
  }
  if (sum.digest("hex") !== digest) throw new Error(`the local content ${digest} is damaged`);
  if (held !== undefined) yield held;
}
