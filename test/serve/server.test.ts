/** A server and who connects to it: addresses that cannot be had, clients that do nothing. */
import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { serve } from "../../src/serve/index.ts";

const hello = async (_: unknown, response: { end: (text: string) => void }): Promise<void> =>
  response.end("hello");

describe("a server", () => {
  it("says in words why it cannot listen", async () => {
    const first = await serve(hello);
    try {
      await expect(serve(hello, { port: first.port })).rejects.toMatchObject({
        code: "serve-address",
        message: `cannot listen on 127.0.0.1, port ${first.port}: another program listens there`,
      });
      // TEST-NET-1 of RFC 5737, which no machine has.
      await expect(serve(hello, { host: "192.0.2.1" })).rejects.toMatchObject({
        code: "serve-address",
        message: expect.stringContaining("this machine does not have that address"),
      });
    } finally {
      await first.close();
    }
  });

  it("disconnects a client that takes a byte now and then, and forgets what it was given", async () => {
    let left = false;
    const server = await serve(
      async (_, response) => {
        response.writeHead(200, { "content-length": 64 * 1024 * 1024 });
        const piece = Buffer.alloc(1024 * 1024);
        await pipeline(Readable.from(Array.from({ length: 64 }, () => piece)), response).catch(() => {
          left = true;
        });
      },
      { idleMs: 500 },
    );
    const slow = connect(server.port, "127.0.0.1");
    slow.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const reading = setInterval(() => slow.read(1), 50);
    try {
      await once(slow, "readable");
      while (!left) await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      clearInterval(reading);
      slow.destroy();
      await server.close();
    }
  });

  it("disconnects a client that does nothing, and ends although one is connected", async () => {
    const server = await serve(hello, { idleMs: 100 });
    const silent = connect(server.port, "127.0.0.1");
    await once(silent, "connect");
    await once(silent, "close");
    const patient = await serve(hello);
    const other = connect(patient.port, "127.0.0.1");
    await once(other, "connect");
    await patient.close();
    await server.close();
    other.destroy();
  });
});
