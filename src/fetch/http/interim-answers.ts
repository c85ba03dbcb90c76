/** Drops interim responses (1xx), since undici treats an unexpected status 100 as an error. */
import type { Socket } from "node:net";

/** Bytes; a longer interim response is left for undici to refuse. */
const longest = 16 * 1024;

const endOfHead = Buffer.from("\r\n\r\n");

/**
 * A filter for the sockets of one connection that serves one request at a time. A server may send any number of 1xx answers before
 * the final one, asked or unasked (RFC 9110 15.2), and undici destroys the connection at a 100. 101 is left in place: it
 * changes the protocol, and must not come unasked. The time that interim answers take counts as waiting for the final one.
 */
export class InterimFilter {
  #awaitsAnswer = false;

  /** To be called as a request begins. */
  begin(): void {
    this.#awaitsAnswer = true;
  }

  /** Replaces the socket's `read`, the only method that undici reads with, by one that drops interim responses. */
  attach(socket: Socket): void {
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
    let held: Buffer = Buffer.alloc(0);
    socket.read = (size?: number): Buffer | null => {
      if (!this.#awaitsAnswer && held.length === 0) return read(size);
      for (;;) {
        const chunk = read(size);
        // What is held is the beginning of an interim answer, whose rest is still to come.
        if (chunk === null) return null;
        held = dropInterim(Buffer.concat([held, chunk]));
        if (held.length <= longest && mayBeInterim(held)) continue;
        this.#awaitsAnswer = false;
        const rest = held;
        held = Buffer.alloc(0);
        return rest;
      }
    };
  }
}

/** Whether bytes are `HTTP/1.1 1xx` and a blank, or a beginning of that. */
function mayBeInterim(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 13).toString("latin1");
  // The rest is filled up from an example, so that one pattern does for beginnings of every length.
  const filled = `${start}${"HTTP/1.1 100 ".slice(start.length)}`;
  return /^HTTP\/1\.1 1\d\d[ \r]$/.test(filled) && start !== "HTTP/1.1 101 ";
}

/** The bytes behind all interim answers that are complete. */
function dropInterim(bytes: Buffer): Buffer {
  let rest = bytes;
  while (rest.length >= 13 && mayBeInterim(rest)) {
    const end = rest.indexOf(endOfHead);
    if (end < 0) break;
    rest = rest.subarray(end + endOfHead.length);
  }
  return rest;
}
