/** Files that change on the server while they are downloaded: what arrives is one version, never a mixture. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { cutOff, type Fault, status } from "./hostile-server.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

const v1 = Buffer.concat([Buffer.from("hsqs"), Buffer.alloc(40_000, "the first version ")]);
const v2 = Buffer.concat([Buffer.from("hsqs"), Buffer.alloc(40_000, "another version ")]);
const half = 20_000;

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

const request = () => ({
  name: "a.tcz",
  kind: "squashfs" as const,
  url: `${shop.server.url}/a.tcz`,
  target: path.join(shop.out, "a.tcz"),
});

/** A name, the headers of the first answer, those of the next one, and the total that it names. */
type Continuation = readonly [string, Record<string, string>, Record<string, string>, string | undefined];

/** Answers a request for a range with these bytes of `body`, and any other with all of it. */
function ranged(body: Buffer, headers: Readonly<Record<string, string>>, total = String(body.length)): Fault {
  return (incoming, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(incoming.headers.range ?? "")?.[1] ?? Number.NaN);
    if (Number.isNaN(first)) return void response.writeHead(200, headers).end(body);
    response.writeHead(206, { ...headers, "content-range": `bytes ${first}-${body.length - 1}/${total}` });
    response.end(body.subarray(first));
  };
}

const date = {
  now: "Fri, 27 Nov 2026 06:00:00 GMT",
  old: "Tue, 01 Sep 2020 00:00:00 GMT",
  new: "Wed, 02 Sep 2020 00:00:00 GMT",
};

async function expectFile(bytes: Buffer): Promise<void> {
  const outcome = await shop.transport().download(request());
  expect((await readFile(request().target)).equals(bytes), "all of one version").toBe(true);
  expect(outcome).toMatchObject({ sha256: createHash("sha256").update(bytes).digest("hex") });
}

const retries = () => shop.events.filter(({ type }) => type === "download-retry").length;

describe("a server that continues with another version", () => {
  it.each<Continuation>([
    ["by its entity tag", { etag: '"v1"' }, { etag: '"v2"' }, undefined],
    ["by its entity tag, which it leaves out", { etag: '"v1"' }, {}, undefined],
    ["by its entity tag, which is weak now", { etag: '"v1"' }, { etag: 'W/"v1"' }, undefined],
    ["by its date", { "last-modified": date.old, date: date.now }, { "last-modified": date.new }, undefined],
    [
      "by its date beside the entity tag",
      { etag: '"v1"', "last-modified": date.old },
      { etag: '"v1"', "last-modified": date.new },
      undefined,
    ],
    ["by its total", { etag: '"v1"' }, { etag: '"v1"' }, String(v2.length + 1)],
  ])("is known %s, and all is asked for again", async (_label, before, after, total) => {
    shop.server.fail("/a.tcz", cutOff(v1, half, before));
    shop.server.always("/a.tcz", ranged(v2, after, total));
    await expectFile(v2);
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz range", "GET /a.tcz"]);
    expect(retries()).toBe(2);
  });

  it("at every try is an error after the usual number of tries, and leaves nothing", async () => {
    let version = 0;
    shop.server.always("/a.tcz", (incoming, response, next) => {
      version += 1;
      const headers = { etag: `"v${version}"` };
      const fault = incoming.headers.range === undefined ? cutOff(v1, half, headers) : ranged(v2, headers);
      return fault(incoming, response, next);
    });
    const error = await rejection(shop.transport().download(request()));
    expect(error).toMatchObject({ code: "cut-off" });
    expect(shop.server.log.length).toBe(4);
    expect(await shop.outputs()).toEqual([]);
  });
});

describe("a download that broke off continues", () => {
  it.each<Continuation>([
    ["with the same entity tag", { etag: '"v1"' }, { etag: '"v1"' }, undefined],
    [
      "with the same entity tag, where the server does not tell the total",
      { etag: '"v1"' },
      { etag: '"v1"' },
      "*",
    ],
    [
      "with a date that is older than the answer, told once",
      { "last-modified": date.old, date: date.now },
      {},
      undefined,
    ],
  ])("%s", async (_label, before, after, total) => {
    shop.server.fail("/a.tcz", cutOff(v1, half, before));
    shop.server.always("/a.tcz", ranged(v1, after, total));
    await expectFile(v1);
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz range"]);
  });

  it.each<readonly [string, Record<string, string>]>([
    ["only a weak entity tag does", { etag: 'W/"v1"', "last-modified": date.old, date: date.now }],
    ["only a date of the same second does", { "last-modified": date.now, date: date.now }],
    ["only a date that is none does", { "last-modified": "yesterday", date: date.now }],
    ["nothing does", {}],
  ])("but not where nothing vouches for its version: %s", async (_label, headers) => {
    shop.server.fail("/a.tcz", cutOff(v1, half, headers));
    shop.server.always("/a.tcz", ranged(v2, headers));
    await expectFile(v2);
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz"]);
  });
});

describe("bytes from several answers that are not what they should be", () => {
  const check = ({ sha256 }: { readonly sha256: string }): void => {
    if (sha256 === createHash("sha256").update(v2).digest("hex")) return;
    throw new UserError("other bytes", { code: "md5-mismatch" });
  };

  it("are asked for once more from the start, for no header may have told that they are of two versions", async () => {
    shop.server.fail("/a.tcz", cutOff(v1, half, { etag: '"same"' }));
    shop.server.always("/a.tcz", ranged(v2, { etag: '"same"' }));
    await shop.transport().download(request(), check);
    expect((await readFile(request().target)).equals(v2)).toBe(true);
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz range", "GET /a.tcz"]);
    expect(await shop.outputs()).toEqual(["a.tcz"]);
  });

  it("are refused when they are still others then, as are those of one answer at once", async () => {
    shop.server.fail("/a.tcz", cutOff(v1, half, { etag: '"same"' }));
    shop.server.always("/a.tcz", ranged(v1, { etag: '"same"' }));
    expect((await rejection(shop.transport().download(request(), check))).code).toBe("md5-mismatch");
    expect(shop.server.log.length).toBe(3);
    expect((await rejection(shop.transport().download(request(), check))).code).toBe("md5-mismatch");
    expect(shop.server.log.length).toBe(4);
    expect(await shop.outputs()).toEqual([]);
  });
});

describe("tries count once, however many ask for a URL in a build", () => {
  it("after the last one failed, the same error comes at once and nothing is asked", async () => {
    shop.server.always("/a.tcz", status(503));
    const transport = shop.transport();
    const first = await rejection(transport.download(request()));
    expect(shop.server.log.length).toBe(4);
    const second = await rejection(transport.download(request()));
    expect(second.message).toBe(first.message);
    expect(shop.server.log.length).toBe(4);
    expect(shop.waits.length).toBe(3);
  });

  it("a server that asks for more patience than there is, is not asked again", async () => {
    shop.server.fail("/a.tcz", status(429, { "retry-after": "31536000" }));
    const transport = shop.transport();
    expect((await rejection(transport.download(request()))).code).toBe("rate-limited");
    expect((await rejection(transport.download(request()))).code).toBe("rate-limited");
    expect(shop.server.log.length).toBe(1);
  });

  it("one that was given up while it waited goes on with the tries that are left, and waits its time", async () => {
    shop.server.always("/a.tcz", status(429, { "retry-after": "60" }));
    const controller = new AbortController();
    let sleeps = 0;
    const waited: number[] = [];
    const clock = {
      ...shop.clock,
      async sleep(ms: number, signal: AbortSignal | undefined) {
        sleeps += 1;
        waited.push(ms);
        if (sleeps === 2) controller.abort(new Error("stop"));
        signal?.throwIfAborted();
        await shop.clock.sleep(ms, signal);
      },
    };
    const transport = shop.transport({ clock });
    const given = await rejection(transport.download({ ...request(), signal: controller.signal }));
    expect(given.message).toBe("stop");
    expect(shop.server.log.length).toBe(2);
    expect((await rejection(transport.download(request()))).code).toBe("rate-limited");
    expect(shop.server.log.length).toBe(4);
    expect(waited).toEqual([60_000, 60_000, 60_000, 60_000]);
  });

  it("one that succeeded does not spend the tries of the next", async () => {
    await shop.put("a.tcz", v1);
    shop.server.fail(
      "/a.tcz",
      status(500),
      status(500),
      (_incoming, _response, next) => next(),
      status(500),
      status(500),
    );
    const transport = shop.transport();
    for (let i = 0; i < 2; i += 1) await transport.download(request());
    expect(shop.server.log.length).toBe(6);
  });
});

describe("an error behind a redirect", () => {
  it("names where it led, and from where", async () => {
    const other = await openWorkshop();
    await other.close();
    shop.server.always("/a.tcz", status(302, { location: "/b.tcz" }));
    shop.server.always("/b.tcz", status(302, { location: `${other.server.url}/c.tcz` }));
    const error = await rejection(shop.transport().download(request()));
    expect(error.message).toContain(
      `from ${shop.server.url}/a.tcz, redirected to ${shop.server.url}/b.tcz, redirected to ${other.server.url}/c.tcz: the connection was refused`,
    );
    expect(error.where).toBe(`${other.server.url}/c.tcz`);
  });

  it.each<readonly [string, Fault, string]>([
    ["answers with an error", status(403), "answered 403"],
    [
      "shows a log-in page",
      (_incoming, response) => void response.end("<html>log in</html>"),
      "captive portal",
    ],
    ["cuts off", cutOff(v1, 100), "redirected to"],
    ["asks for patience", status(429, { "retry-after": "86400" }), "86400 s"],
    [
      "sends more than it announced",
      (_incoming, response) => {
        response.socket?.end("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhsqsmore");
      },
      "the server sent more bytes",
    ],
  ])("is about the server that %s", async (_label, fault, text) => {
    shop.server.always("/a.tcz", status(302, { location: "/b.tcz?token=1" }));
    shop.server.always("/b.tcz?token=1", fault);
    const error = await rejection(shop.transport().download(request()));
    expect(error.message).toContain(text);
    expect(`${error.message} ${error.where}`).toContain("/b.tcz?…");
    expect(`${error.message} ${error.where}`, "what the server put there may be a secret").not.toContain(
      "token",
    );
  });
});

describe("a server that is too slow ever to come to an end", () => {
  /** Waits until the client has got what was sent, whose arrival it tells of; a busy machine may take a while. */
  const arrived = async (told: number, response: ServerResponse): Promise<void> => {
    for (const end = Date.now() + 2000; Date.now() < end && !response.destroyed; ) {
      if (shop.events.length > told) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };

  /** One byte a second of the clock, without end. */
  const drip: Fault = async (_incoming, response) => {
    response.writeHead(200, { "content-length": String(v1.length), etag: '"v1"' });
    for (let i = 0; i < v1.length && !response.destroyed; i += 1) {
      const told = shop.events.length;
      response.write(v1.subarray(i, i + 1));
      await arrived(told, response);
      await shop.clock.sleep(1000, undefined);
    }
  };

  it("is reported, retried on other connections, and given up with the setting in the error", async () => {
    shop.server.always("/a.tcz", drip);
    const error = await rejection(
      shop
        .transport({ limits: { attempts: 2, settings: { leastRate: "the least rate" } } })
        .download(request()),
    );
    expect(error).toMatchObject({ code: "too-slow" });
    expect(error.message).toMatch(
      /the rate was only \d+ bytes per second over 60 s, below the minimum of 100/,
    );
    expect(error.hint).toContain("lower the minimum rate with the least rate");
    expect(shop.events).toContainEqual(
      expect.objectContaining({ type: "download-slow", name: "a.tcz", leastRate: 100, seconds: 60 }),
    );
    expect(await shop.outputs()).toEqual([]);
  });

  it("is waited for where any rate is accepted, and where it is quicker than the least one", async () => {
    const slow = v1.subarray(0, 200);
    const few: Fault = async (_incoming, response) => {
      response.writeHead(200, { "content-length": String(slow.length) });
      for (const byte of slow) {
        const told = shop.events.length;
        response.write(Buffer.from([byte]));
        await arrived(told, response);
        await shop.clock.sleep(1000, undefined);
      }
      response.end();
    };
    shop.server.always("/a.tcz", few);
    for (const leastRate of [0, 1]) {
      const outcome = await shop.transport({ limits: { leastRate: leastRate / 2 } }).download(request());
      expect(outcome).toMatchObject({ status: "fetched", size: 200 });
    }
  });
});

it("a text without end is cut off long before the disk is full", async () => {
  let sent = 0;
  shop.server.always("/a.tcz", (_incoming, response) => {
    const chunk = Buffer.alloc(1024 ** 2, "text\n");
    const more = (): void => {
      while (!response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) break;
      }
    };
    response.on("drain", more);
    more();
  });
  for (const load of [
    () => shop.transport().download({ ...request(), kind: "text" }),
    () => shop.transport().read({ ...request(), kind: "text" }),
  ]) {
    sent = 0;
    const error = await rejection(load());
    expect(error.code).toBe("too-large");
    expect(error.message).toContain(`${16 * 1024 ** 2} bytes`);
    expect(sent).toBeLessThan(64 * 1024 ** 2);
    expect(await shop.outputs()).toEqual([]);
  }
});
