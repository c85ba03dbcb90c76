import { createHash } from "node:crypto";
import { readFile, utimes } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Part, Segments } from "../../src/fetch/http/segments.ts";
import type { FileSink } from "../../src/fetch/http/sink.ts";
import { type Fault, status } from "./hostile-server.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

const partBytes = 64 * 1024;
/** Not a multiple of a part, and every part different. */
const large = Buffer.concat(
  Array.from({ length: 40 }, (_, i) => Buffer.alloc(partBytes, `part ${i} of the file `)).concat(
    Buffer.from("end"),
  ),
);

/** Seconds since 1970, and what the server makes of it. */
const modified = 1_500_000_000;
const etag = `"${large.length.toString(16)}-${(modified * 1_000_000).toString(16)}"`;

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
  await shop.put("large", large);
  // A date vouches for bytes only when it is older than the answer (RFC 9110 8.8.2.2).
  await utimes(path.join(shop.root, "large"), modified, modified);
});
afterEach(() => shop.close());

const request = () => ({
  name: "large",
  kind: "any" as const,
  url: `${shop.server.url}/large`,
  target: path.join(shop.out, "large"),
});

/** The part asked for, of other bytes than the file has. */
function partOf(headers: Readonly<Record<string, string>>, total = large.length): Fault {
  return (incoming, response) => {
    const [, first = "", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? "") ?? [];
    response.writeHead(206, { etag, ...headers, "content-range": `bytes ${first}-${last}/${total}` });
    response.end(Buffer.alloc(Number(last) - Number(first) + 1, "another version"));
  };
}

/** The main stream does not end before `parts` were asked for. */
function slowMain(parts: number, partFault?: Fault): Fault {
  let asked = 0;
  return async (incoming, response, next) => {
    if (incoming.headers.range !== undefined) {
      asked += 1;
      await (partFault === undefined ? next() : partFault(incoming, response, next));
      return;
    }
    response.writeHead(200, {
      "content-length": String(large.length),
      "accept-ranges": "bytes",
      etag,
      "last-modified": new Date(modified * 1000).toUTCString(),
    });
    response.write(large.subarray(0, partBytes));
    while (asked < parts && !response.destroyed) await new Promise(setImmediate);
    response.end(large.subarray(partBytes));
  };
}

async function downloadWhole() {
  const outcome = await shop.transport({ limits: { partBytes, idleMs: 2000 } }).download(request());
  expect(outcome).toMatchObject({
    status: "fetched",
    size: large.length,
    sha256: createHash("sha256").update(large).digest("hex"),
    md5: createHash("md5").update(large).digest("hex"),
  });
  expect((await readFile(request().target)).equals(large), "the file is whole").toBe(true);
  expect(await shop.outputs()).toEqual(["large"]);
}

describe("a large file", () => {
  it("comes in parts on connections that are free, and is the same", async () => {
    shop.server.always("/large", slowMain(12));
    await downloadWhole();
    expect(shop.server.log.filter((line) => line.endsWith("range")).length).toBeGreaterThanOrEqual(12);
    expect(shop.server.connections()).toBeGreaterThan(1);
    expect(shop.server.connections()).toBeLessThanOrEqual(6);
    expect(shop.events.filter((event) => event.type === "download-retry")).toEqual([]);
  });

  it("comes in parts without anybody's help from the server's side", async () => {
    for (let i = 0; i < 10; i += 1) await downloadWhole();
  });

  it.each<[string, Fault]>([
    ["refused", status(503)],
    ["answered with the whole file", (_incoming, response) => void response.writeHead(200).end(large)],
    [
      "another part",
      (_incoming, response) =>
        void response
          .writeHead(206, { "content-range": `bytes 0-${partBytes - 1}/${large.length}` })
          .end(large.subarray(0, partBytes)),
    ],
    ["another version's by the entity tag", partOf({ etag: '"other"' })],
    ["another version's by the date", partOf({ "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" })],
    ["another version's by the total", partOf({}, large.length + 1)],
    [
      "cut off",
      (incoming, response) => {
        const range = `${incoming.headers.range?.replace("=", " ")}/${large.length}`;
        response.writeHead(206, { "content-range": range, "content-length": String(partBytes) });
        response.write("x", () => response.socket?.resetAndDestroy());
      },
    ],
  ])("is right also when its parts are %s", async (_label, fault) => {
    let faults = 0;
    shop.server.always(
      "/large",
      slowMain(2, async (incoming, response, next) => {
        faults += 1;
        // The retry, which continues to the end of the file, is answered as it should be.
        if (incoming.headers.range?.endsWith("-") === true) await next();
        else await fault(incoming, response, next);
      }),
    );
    await downloadWhole();
    expect(faults).toBeGreaterThan(0);
  });

  it("leaves its connections to downloads that wait", async () => {
    await shop.put("small", "small");
    const order: string[] = [];
    shop.server.always("/large", async (incoming, response, next) => {
      if (incoming.headers.range !== undefined) order.push("part");
      await slowMain(0)(incoming, response, next);
    });
    shop.server.always("/small", async (_incoming, _response, next) => {
      order.push("small");
      await next();
    });
    const transport = shop.transport({ limits: { partBytes, perOrigin: 2, overall: 2, idleMs: 2000 } });
    const small = (i: number) => ({
      ...request(),
      url: `${shop.server.url}/small`,
      target: path.join(shop.out, `s${i}`),
    });
    await Promise.all([
      transport.download(request()),
      ...[1, 2, 3, 4].map((i) => transport.download(small(i))),
    ]);
    const lastSmall = order.lastIndexOf("small");
    expect(order.slice(0, lastSmall)).not.toContain("part");
  });

  it("that is given up leaves nothing behind", async () => {
    const controller = new AbortController();
    shop.server.always(
      "/large",
      slowMain(3, () => {
        controller.abort(new Error("stop"));
      }),
    );
    const transport = shop.transport({ signal: controller.signal, limits: { partBytes, idleMs: 2000 } });
    expect((await rejection(transport.download(request()))).message).toBe("stop");
    expect(await shop.outputs()).toEqual([]);
  });
});

describe("a helper", () => {
  it("claims nothing of a piece that is just being written, however large it is", async () => {
    const free: (() => Promise<void>)[] = [];
    const claimed: Part[] = [];
    const segments = new Segments({
      sink: { size: 0, absorb: async () => {} } as unknown as FileSink,
      total: 100,
      partBytes: 10,
      helpers: 1,
      whenFree: (signal, work) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          free.push(() => work().then(resolve, reject));
        }),
      fetchPart: async (part) => void claimed.push(part),
    });
    // The main stream is given 80 bytes; before they are written, a connection becomes free.
    expect(segments.take(80)).toBe(80);
    await free.shift()?.();
    expect(claimed).toEqual([{ start: 90, end: 100 }]);
    expect(segments.isMet).toBe(false);
    expect(segments.take(80)).toBe(10);
    expect(segments.isMet).toBe(true);
    expect(await segments.join()).toBe(true);
    await segments.stop();
  });
});
