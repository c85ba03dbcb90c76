/** Servers and proxies that send interim answers (RFC 9110 15.2) before the one that counts. */
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
let server: Server;
/** What the server sends for one request after the other; `undefined` is nothing at all. */
let answers: ((socket: Socket) => void)[];
let requests: number;
let connections: number;

beforeEach(async () => {
  shop = await openWorkshop();
  answers = [];
  requests = 0;
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      while (text.includes("\r\n\r\n")) {
        text = text.slice(text.indexOf("\r\n\r\n") + 4);
        requests += 1;
        answers.shift()?.(socket);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterEach(async () => {
  await shop.close();
  await new Promise((resolve) => server.close(resolve));
});

const url = (): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
};
const request = (origin = url()) => ({
  name: "a.txt",
  kind: "text" as const,
  url: `${origin}/a.txt`,
  target: path.join(shop.out, "a.txt"),
});

const final = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const at100 = "HTTP/1.1 100 Continue\r\n\r\n";
const at102 = "HTTP/1.1 102 Processing\r\n\r\n";
const at103 = "HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n";

describe("interim answers before the final one", () => {
  it.each<readonly [string, string]>([
    ["a 100 that nobody asked for", at100],
    ["a 100 without a reason phrase", "HTTP/1.1 100 \r\n\r\n"],
    ["a 100 with headers", "HTTP/1.1 100 Continue\r\ndate: x\r\n\r\n"],
    ["a 102", at102],
    ["a 103", at103],
    ["many of them", `${at100}${at103}${at102}${at100}`],
  ])("are passed over: %s", async (_label, interim) => {
    answers = [(socket) => socket.write(`${interim}${final}`)];
    expect(await shop.transport().download(request())).toMatchObject({ status: "fetched", size: 5 });
    expect(requests).toBe(1);
    expect(shop.waits).toEqual([]);
  });

  it("are passed over in pieces of one byte too", async () => {
    answers = [
      async (socket) => {
        for (const byte of `${at100}${at103}${final}`) {
          socket.write(byte);
          await new Promise(setImmediate);
        }
      },
    ];
    expect(await shop.transport().download(request())).toMatchObject({ status: "fetched", size: 5 });
    expect(requests).toBe(1);
  });

  it("are passed over at every request on a connection that stays", async () => {
    answers = Array.from({ length: 3 }, () => (socket: Socket) => socket.write(`${at100}${final}`));
    const transport = shop.transport();
    for (let i = 0; i < 3; i += 1) {
      expect(await transport.download(request())).toMatchObject({ status: "fetched", size: 5 });
    }
    expect([requests, connections]).toEqual([3, 1]);
  });

  it("are passed over when a proxy sends them", async () => {
    answers = [(socket) => socket.write(`${at100}${final}`)];
    const transport = shop.transport({ env: { http_proxy: url() } });
    const outcome = await transport.download(request("http://mirror.example"));
    expect(outcome).toMatchObject({ status: "fetched", size: 5 });
    expect(requests).toBe(1);
  });

  it("without end are no answer, and not waited for", async () => {
    let timer: NodeJS.Timeout | undefined;
    answers = [
      (socket) => {
        timer = setInterval(() => socket.write(at103), 20);
        socket.once("close", () => clearInterval(timer));
      },
    ];
    const transport = shop.transport({ limits: { attempts: 1, idleMs: 400 } });
    const error = await rejection(transport.download(request()));
    expect(error.message).toContain("the server did not answer in time");
  });

  it("are no excuse for a body that is one", async () => {
    answers = [(socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 25\r\n\r\n${at100}`)];
    expect(await shop.transport().download(request())).toMatchObject({ status: "fetched", size: 25 });
  });
});

it("a proxy that accepts and says nothing is given up after the same time as a server", async () => {
  answers = [];
  const transport = shop.transport({ env: { http_proxy: url() }, limits: { attempts: 1, idleMs: 400 } });
  const error = await rejection(transport.download(request("http://mirror.example")));
  expect(error.message).toContain("the server did not answer in time");
  const tunnel = shop.transport({ env: { https_proxy: url() }, limits: { attempts: 1, idleMs: 400 } });
  const other = await rejection(tunnel.download(request("https://mirror.example")));
  expect(other.message).toContain("the server did not answer in time");
});
