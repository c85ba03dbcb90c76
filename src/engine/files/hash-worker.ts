/**
 * A thread that hashes files and bytes one behind the other, so that another core does it while this one writes. It lives as
 * long as the process, and begins where what it hashed before begins the same way. It keeps no process alive.
 */
import { Worker } from "node:worker_threads";
import type { Digest } from "../define/names.ts";

/** A file (absolute path) or bytes, and the digest of the content: what was hashed already is not read again. */
type Hashed = { readonly digest: string } & ({ readonly file: string } | { readonly bytes: Uint8Array });

type Answer = { readonly id: number } & ({ readonly digest: Digest } | { readonly error: string });

/** Plain JavaScript, for it is no module of the compiled program; kept small enough to be read as text. */
const program = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { closeSync, openSync, readSync } = require("node:fs");
const buffer = Buffer.allocUnsafe(1024 * 1024);
let midpoints = [];
parentPort.on("message", ({ id, parts }) => {
  try {
    parentPort.postMessage({ id, digest: digest(parts) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error.message) });
  }
});
function digest(parts) {
  const same = midpoints.findLast(({ digests }) => digests.every((one, index) => one === parts[index]?.digest));
  const from = same?.digests.length ?? 0;
  const hash = same?.hash.copy() ?? createHash("sha256");
  const kept = midpoints.filter(({ digests }) => digests.length <= from);
  for (let index = from; index < parts.length; index += 1) {
    const size = add(hash, parts[index]);
    if (size < buffer.length) continue;
    kept.push({ digests: parts.slice(0, index + 1).map((part) => part.digest), hash: hash.copy() });
  }
  midpoints = kept;
  return hash.digest("hex");
}
function add(hash, { file, bytes }) {
  if (bytes !== undefined) {
    hash.update(bytes);
    return bytes.length;
  }
  const handle = openSync(file, "r");
  try {
    for (let size = 0; ; ) {
      const read = readSync(handle, buffer, 0, buffer.length);
      if (read === 0) return size;
      hash.update(buffer.subarray(0, read));
      size += read;
    }
  } finally {
    closeSync(handle);
  }
}
`;

export class DigestThread {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (digest: Digest) => void; readonly reject: (error: Error) => void }
  >();

  /** The sha256 of the parts, one behind the other, in hex. Rejects when a file cannot be read. */
  digest(parts: readonly Hashed[]): Promise<Digest> {
    const worker = this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, parts });
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(program, { eval: true });
    const fail = (error: Error): void => {
      this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) worker.unref();
      if ("digest" in answer) waiting?.resolve(answer.digest);
      else waiting?.reject(new Error(answer.error));
    });
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the hash worker stopped")));
    this.#worker = worker;
    return worker;
  }
}
