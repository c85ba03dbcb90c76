/**
 * A thread that hashes files one behind the other, so that another core does it while this one writes. It lives as
 * long as the process, and begins where what it hashed before begins the same way. It keeps no process alive.
 */
import { Worker } from "node:worker_threads";
import type { Digest } from "./names.ts";

export interface HashedFile {
  /** Absolute path. */
  readonly file: string;
  /** Of its content: files with equal digests need not be read again. */
  readonly digest: string;
}

type Answer = { readonly id: number } & ({ readonly digest: Digest } | { readonly error: string });

/** Plain JavaScript, for it is no module of the compiled program; kept small enough to be read as text. */
const program = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { closeSync, openSync, readSync } = require("node:fs");
const buffer = Buffer.allocUnsafe(1024 * 1024);
let midpoints = [];
parentPort.on("message", ({ id, files }) => {
  try {
    parentPort.postMessage({ id, digest: digest(files) });
  } catch (error) {
    parentPort.postMessage({ id, error: String(error.message) });
  }
});
function digest(files) {
  const same = midpoints.findLast(({ digests }) => digests.every((one, index) => one === files[index]?.digest));
  const from = same?.digests.length ?? 0;
  const hash = same?.hash.copy() ?? createHash("sha256");
  const kept = midpoints.filter(({ digests }) => digests.length <= from);
  for (let index = from; index < files.length; index += 1) {
    const handle = openSync(files[index].file, "r");
    let size = 0;
    try {
      for (let read = 1; read > 0; size += read) {
        read = readSync(handle, buffer, 0, buffer.length);
        hash.update(buffer.subarray(0, read));
      }
    } finally {
      closeSync(handle);
    }
    if (size >= buffer.length) {
      kept.push({ digests: files.slice(0, index + 1).map((file) => file.digest), hash: hash.copy() });
    }
  }
  midpoints = kept;
  return hash.digest("hex");
}
`;

export class DigestThread {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (digest: Digest) => void; readonly reject: (error: Error) => void }
  >();

  /** The sha256 of the files, one behind the other, in hex. Rejects when one cannot be read. */
  digest(files: readonly HashedFile[]): Promise<Digest> {
    const worker = this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, files });
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
    worker.on("exit", () => fail(new Error("the hashing thread ended")));
    this.#worker = worker;
    return worker;
  }
}
