/** A server and who connects to it: addresses that cannot be had, clients that do nothing. */
import { once } from "node:events";
import { connect } from "node:net";
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
