/** `task serve` before there is an image: what it says of where it listens, and what it refuses. */
import { networkInterfaces } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import { type Server, serve } from "../../src/serve/index.ts";
import { realProject } from "../cli/real-project.ts";
import { runTask } from "../cli/workshop.ts";

/** A source that does not exist: no test here builds anything. */
const nothing = ["--source", "./nowhere"];

let root = "";
beforeAll(async () => {
  root = await realProject({ kept: true });
});

async function taken<T>(use: (server: Server) => Promise<T>): Promise<T> {
  const server = await serve(async (_, response) => void response.end());
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

describe("task serve", () => {
  it("says at once that a port is in use, and builds nothing", async () => {
    await taken(async ({ port }) => {
      const run = await runTask(root, ["serve", "--port", `${port}`, ...nothing]);
      expect(run.status).toBe(1);
      expect(run.stderr).toContain(`cannot listen on 127.0.0.1, port ${port}: another program listens there`);
      expect(run.stderr).not.toContain("nowhere");
    });
  });

  it.each([
    [["--port", "http"], "--port is"],
    [["--port", "65536"], "--port is"],
    [["--port", "-1"], "--port is"],
    [["--dnsmasq"], "--dnsmasq serves a network"],
    [["--dnsmasq", "--host", "::1"], "--dnsmasq serves a network"],
  ])("refuses %j with status 2", async (words, message) => {
    const run = await runTask(root, ["serve", ...words, ...nothing]);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(run.stderr).toContain("[serve-usage]");
  });

  it("listens on loopback unless told otherwise, and says who reaches it; a build that fails ends it", async () => {
    const run = await runTask(root, ["serve", "--port", "0", ...nothing]);
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(
      /^page: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}\nonly this machine reaches /,
    );
    expect(run.stdout).toMatch(/task boot http:\/\/127\.0\.0\.1:\d+\/boot\.ipxe\n/);
    expect(run.stdout).not.toContain("dnsmasq");
  });

  it("says plainly that everybody reaches 0.0.0.0, and what they can read", async () => {
    const run = await runTask(root, ["serve", "--port", "0", "--host", "0.0.0.0", ...nothing]);
    expect(run.stderr).toMatch(
      /note: everybody who reaches http:\/\/0\.0\.0\.0:\d+ can read the images: ssh host keys, password hashes/,
    );
    expect(run.stdout).toMatch(/^page: http:\/\/127\.0\.0\.1:\d+\//);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === "IPv4" && !one.internal);
    if (own === undefined) return;
    expect(run.stdout).toContain(`sudo dnsmasq --no-daemon`);
    expect(run.stdout).toMatch(new RegExp(`chain http://${own.address}:\\d+/boot\\.ipxe`));
  });

  it("says that this machine does not have an address", async () => {
    // TEST-NET-1 of RFC 5737, which no machine has.
    const run = await runTask(root, ["serve", "--port", "0", "--host", "192.0.2.1", ...nothing]);
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining("does not have that address")]);
  });
});
