import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFailure } from "../../src/fetch/sink.ts";
import { content, cutOff, endless, raw, stall, status } from "./hostile-server.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

const squashfs = Buffer.concat([Buffer.from("hsqs"), Buffer.alloc(300_000, "squash")]);

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
  await shop.put("a.tcz", squashfs);
});
afterEach(() => shop.close());

function request(name = "a.tcz", kind: "squashfs" | "text" | "any" | "gzip" = "squashfs") {
  return { name, kind, url: `${shop.server.url}/${name}`, target: path.join(shop.out, name) };
}

async function expectWhole() {
  const bytes = await readFile(path.join(shop.out, "a.tcz"));
  expect(bytes.equals(squashfs), "the file is whole").toBe(true);
}

async function failure(options: Parameters<Workshop["transport"]>[0] = {}, extra: object = {}) {
  const error = await rejection(shop.transport(options).download({ ...request(), ...extra }));
  expect(await shop.outputs(), "no file may be left behind").toEqual([]);
  return error;
}

describe("a download", () => {
  it("arrives whole, with size, digests, validators and where it came from", async () => {
    const outcome = await shop.transport().download(request());
    expect(outcome).toMatchObject({
      status: "fetched",
      size: squashfs.length,
      sha256: createHash("sha256").update(squashfs).digest("hex"),
      md5: createHash("md5").update(squashfs).digest("hex"),
      url: `${shop.server.url}/a.tcz`,
      etag: expect.stringMatching(/^"/),
      lastModified: expect.stringMatching(/GMT$/),
    });
    await expectWhole();
    expect(await shop.outputs()).toEqual(["a.tcz"]);
  });

  it("of an empty file is an empty file", async () => {
    await shop.put("empty", "");
    await shop.transport().download(request("empty", "any"));
    expect(await readFile(path.join(shop.out, "empty"), "utf8")).toBe("");
  });

  it("tells when it begins, proceeds and ends", async () => {
    await shop.transport().download(request());
    expect(shop.events.map((event) => event.type)).toEqual([
      "download-start",
      "download-progress",
      "download-done",
    ]);
    expect(shop.events[1]).toMatchObject({ total: squashfs.length });
    expect(shop.events[2]).toMatchObject({ bytes: squashfs.length, status: "fetched" });
  });

  it("replaces what was at the target only when its check agrees", async () => {
    await writeFile(path.join(shop.out, "a.tcz"), "old");
    const refused = shop.transport().download(request(), () => {
      throw new Error("no");
    });
    expect((await rejection(refused)).message).toBe("no");
    expect(await readFile(path.join(shop.out, "a.tcz"), "utf8")).toBe("old");
    expect(await shop.outputs()).toEqual(["a.tcz"]);
  });

  it("uses one connection again and again for one file after another", async () => {
    const transport = shop.transport();
    for (let i = 0; i < 5; i += 1) await transport.download(request());
    expect(shop.server.connections()).toBe(1);
  });

  it("of many files keeps to the widths overall and per origin", async () => {
    let asked = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (let i = 0; i < 20; i += 1) {
      await shop.put(`many${i}`, "x");
      shop.server.always(`/many${i}`, async (_request, _response, next) => {
        asked += 1;
        await gate;
        await next();
      });
    }
    const transport = shop.transport({ limits: { perOrigin: 3 } });
    const all = Promise.all(
      Array.from({ length: 20 }, (_, i) => transport.download(request(`many${i}`, "any"))),
    );
    while (asked < 3) await new Promise(setImmediate);
    // None of them is answered yet; a fourth would come now.
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect(asked).toBe(3);
    expect(shop.server.connections()).toBe(3);
    open();
    await all;
    expect((await shop.outputs()).length).toBe(20);
  });

  it("from a file: URL or a plain path needs no server, even offline", async () => {
    const local = path.join(shop.root, "a.tcz");
    const transport = shop.transport({ offline: true });
    for (const url of [local, pathToFileURL(local).href]) {
      const outcome = await transport.download({ ...request(), url });
      expect(outcome).toMatchObject({ status: "fetched", size: squashfs.length });
    }
    const missing = { ...request(), url: path.join(shop.root, "none.tcz") };
    expect((await rejection(transport.download(missing))).code).toBe("not-found");
    expect(await transport.download({ ...missing, optional: true })).toEqual({ status: "absent" });
    expect((await rejection(transport.download({ ...request(), url: shop.root }))).code).toBe("not-a-file");
    expect(shop.server.log).toEqual([]);
  });

  it("that is asked for with validators is not sent again when they hold", async () => {
    const transport = shop.transport();
    const first = await transport.download(request());
    if (first.status !== "fetched" || first.etag === undefined) throw new Error("no etag");
    const again = { ...request(), validators: { etag: first.etag } };
    expect(await transport.download(again)).toEqual({ status: "unchanged" });
    const { lastModified } = first;
    if (lastModified === undefined) throw new Error("no Last-Modified");
    expect(await transport.download({ ...request(), validators: { lastModified } })).toEqual({
      status: "unchanged",
    });
  });
});

describe("what may pass is tried again", () => {
  it("a connection that is reset in mid-body continues where it broke off", async () => {
    const { etag } = (await shop.transport().download(request())) as { etag: string };
    shop.server.fail("/a.tcz", cutOff(squashfs, 100_000, { etag }));
    shop.server.log.length = 0;
    await shop.transport().download(request());
    await expectWhole();
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz range"]);
  });

  it("a file that changed between two tries is begun anew", async () => {
    shop.server.fail("/a.tcz", cutOff(Buffer.alloc(400_000, "old"), 100_000, { etag: '"old"' }));
    await shop.transport().download(request());
    await expectWhole();
  });

  it("a server without validators is asked for the whole again", async () => {
    shop.server.fail("/a.tcz", cutOff(squashfs, 100_000));
    await shop.transport().download(request());
    await expectWhole();
    expect(shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz"]);
  });

  it("a server that continues at another place is not believed", async () => {
    shop.server.fail("/a.tcz", cutOff(squashfs, 1000, { etag: '"x"' }), (_request, response) => {
      response.writeHead(206, { "content-range": `bytes 500-${squashfs.length - 1}/${squashfs.length}` });
      response.end(squashfs.subarray(500));
    });
    await shop.transport().download(request());
    await expectWhole();
  });

  it("a stall counts as a broken connection", async () => {
    shop.server.fail("/a.tcz", stall(), stall("hsqs"));
    await shop.transport().download(request());
    await expectWhole();
    expect(shop.waits.length).toBe(2);
  });

  it("500 then 200 succeeds, after growing waits", async () => {
    shop.server.fail("/a.tcz", status(500), status(503), status(408));
    await shop.transport().download(request());
    expect(shop.waits).toEqual([375, 750, 1500]);
    expect(shop.events.filter((event) => event.type === "download-retry")).toHaveLength(3);
  });

  it("429 waits as long as Retry-After says, in seconds or as a date", async () => {
    const date = new Date(shop.clock.now() + 9000).toUTCString();
    shop.server.fail("/a.tcz", status(429, { "retry-after": "7" }), status(429, { "retry-after": date }));
    await shop.transport().download(request());
    expect(shop.waits[0]).toBe(7000);
    expect(shop.waits[1]).toBeGreaterThan(0);
    expect(shop.waits[1]).toBeLessThanOrEqual(9000);
  });

  it("but not for longer than is reasonable", async () => {
    shop.server.always("/a.tcz", status(429, { "retry-after": "86400" }));
    expect((await failure()).message).toContain("86400 s");
    expect(shop.waits).toEqual([]);
  });

  it("four tries are enough", async () => {
    shop.server.always("/a.tcz", status(502));
    const error = await failure();
    expect(error.message).toContain("502");
    expect(error.message).toContain("a.tcz");
    expect(error.code).toBe("server-error");
    expect(shop.server.log.length).toBe(4);
  });

  it("a body that is always cut off is an error naming it, and nothing is left", async () => {
    shop.server.always("/a.tcz", cutOff(squashfs, 1000));
    const error = await failure();
    expect(error.code).toBe("cut-off");
    expect(error.message).toContain("4 tries");
  });
});

describe("what cannot be right is refused at once", () => {
  it("404 names the file, the URL and who asked for it", async () => {
    const error = await failure({}, { url: `${shop.server.url}/none.tcz`, where: "lists/builtin.lst:3" });
    expect(error).toMatchObject({ code: "not-found", where: "lists/builtin.lst:3" });
    expect(error.message).toContain(`${shop.server.url}/none.tcz`);
    expect(shop.server.log.length).toBe(1);
  });

  it("404 for an optional file means there is none", async () => {
    expect(await shop.transport().download({ ...request("a.tcz.dep", "text"), optional: true })).toEqual({
      status: "absent",
    });
    expect(await shop.outputs()).toEqual([]);
  });

  it("403 is not tried again", async () => {
    shop.server.always("/a.tcz", status(403));
    expect((await failure()).code).toBe("http-status");
    expect(shop.server.log.length).toBe(1);
  });

  it("every answer that is no file says what could be done", async () => {
    for (const [code, hint] of [
      [400, "another mirror"],
      [401, "user name and password into the URL"],
      [403, "may use this mirror"],
      [410, "check the name"],
    ] as const) {
      shop.server.always("/a.tcz", status(code));
      expect((await failure()).hint).toContain(hint);
    }
  });

  it("a web page in place of a squashfs is a captive portal or error page", async () => {
    shop.server.always("/a.tcz", content("<!DOCTYPE html>\n<html><body>Log in</body></html>"));
    const error = await failure();
    expect(error.code).toBe("captive-portal");
    expect(error.message).toContain("captive portal or error page");
  });

  it("so it is in place of a small text file", async () => {
    shop.server.always("/x.dep", content("  <html><head>"));
    const error = await rejection(shop.transport().read(request("x.dep", "text")));
    expect(error.code).toBe("captive-portal");
  });

  it("other bytes than asked for are named for what they are not", async () => {
    shop.server.always("/a.tcz", content("PK something else"));
    expect((await failure()).message).toContain("not a squashfs image");
  });

  it("an endless body ends at the limit", async () => {
    shop.server.always("/a.tcz", endless);
    expect((await failure({ limits: { maxBytes: 1_000_000 } })).code).toBe("too-large");
  });

  it("a length beyond the limit is not even read", async () => {
    shop.server.always("/a.tcz", (_request, response) => {
      response.writeHead(200, { "content-length": String(5 * 1024 ** 3) });
      response.write("hsqs");
    });
    const error = await failure();
    expect(error.code).toBe("too-large");
    expect(error.message).toContain(String(4 * 1024 ** 3));
  });

  it("more bytes than announced are an error", async () => {
    shop.server.always("/a.tcz", raw("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhsqs1234and more of it"));
    expect((await failure()).code).toBe("body-too-long");
  });

  it("what is not HTTP at all is an error", async () => {
    shop.server.always("/a.tcz", raw("SSH-2.0-OpenSSH_9.2\r\n"));
    expect((await failure()).message).toContain("not valid HTTP");
  });

  it("a redirect loop ends after five", async () => {
    shop.server.always("/a.tcz", status(302, { location: "/b.tcz" }));
    shop.server.always("/b.tcz", status(302, { location: "/a.tcz" }));
    expect((await failure()).code).toBe("too-many-redirects");
    expect(shop.server.log.length).toBe(6);
  });

  it("a redirect to file: is refused", async () => {
    shop.server.always("/a.tcz", status(301, { location: "file:///etc/passwd" }));
    const error = await failure();
    expect(error.code).toBe("redirect-refused");
    expect(error.message).toContain("file:///etc/passwd");
  });

  it("redirects within http are followed", async () => {
    shop.server.always("/old.tcz", status(301, { location: "a.tcz" }));
    await shop.transport().download({ ...request(), url: `${shop.server.url}/old.tcz` });
    await expectWhole();
  });

  it("a scheme that is not known is an error", async () => {
    expect((await failure({}, { url: "ftp://127.0.0.1/a.tcz" })).code).toBe("unsupported-scheme");
  });

  it("a mirror that is not there says what else could be done", async () => {
    await shop.server.close();
    const error = await failure();
    expect(error.code).toBe("unreachable");
    expect(error.hint).toContain("--source sample");
    expect(error.hint).toContain("http_proxy");
  });

  it("a full disk is named as such", () => {
    const full = writeFailure(Object.assign(new Error("no space"), { code: "ENOSPC" }), "/out/a.tcz");
    expect(full).toMatchObject({ code: "disk-full", where: "/out/a.tcz" });
  });

  it("a folder that cannot be written to is named", async () => {
    expect((await failure({}, { target: path.join(shop.dir, "nowhere", "a") })).code).toBe("cannot-write");
  });
});

describe("credentials and sockets", () => {
  it("a user name and password are sent to their origin and never shown", async () => {
    const seen: (string | undefined)[] = [];
    shop.server.always("/a.tcz", (incoming, _response, next) => {
      seen.push(incoming.headers.authorization);
      return next();
    });
    const url = shop.server.url.replace("http://", "http://me:s3cret@");
    const outcome = await shop.transport().download({ ...request(), url: `${url}/a.tcz` });
    const error = await rejection(shop.transport().download({ ...request(), url: `${url}/none` }));
    expect(seen).toEqual([`Basic ${Buffer.from("me:s3cret").toString("base64")}`]);
    const shown = JSON.stringify([outcome, shop.events, error.message, error.where, error.hint]);
    expect(shown).not.toContain("s3cret");
    expect(shown).not.toContain("me:");
  });

  it("they do not follow a redirect to another origin", async () => {
    const other = await openWorkshop();
    try {
      await other.put("a.tcz", squashfs);
      const seen: (string | undefined)[] = [];
      other.server.always("/a.tcz", (incoming, _response, next) => {
        seen.push(incoming.headers.authorization);
        return next();
      });
      shop.server.always("/a.tcz", status(302, { location: `${other.server.url}/a.tcz` }));
      const url = `${shop.server.url.replace("http://", "http://me:s3cret@")}/a.tcz`;
      await shop.transport().download({ ...request(), url });
      expect(seen).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it("offline opens no socket", async () => {
    const error = await failure({ offline: true });
    expect(error.code).toBe("offline");
    expect(shop.server.connections()).toBe(0);
  });

  it("an abort ends downloads that run, wait or back off, and leaves nothing", async () => {
    for (const [name, fault] of [
      ["body", stall("hsqs")],
      ["header", stall()],
    ] as const) {
      const controller = new AbortController();
      shop.server.fail("/a.tcz", (incoming, response, next) => {
        setImmediate(() => controller.abort(new Error(`stop ${name}`)));
        return fault(incoming, response, next);
      });
      const transport = shop.transport({ signal: controller.signal, limits: { overall: 1 } });
      const running = rejection(transport.download(request()));
      const waiting = rejection(transport.download({ ...request(), target: path.join(shop.out, "b") }));
      expect((await running).message).toBe(`stop ${name}`);
      expect((await waiting).message).toBe(`stop ${name}`);
      expect(await shop.outputs()).toEqual([]);
    }
    const controller = new AbortController();
    shop.server.always("/a.tcz", status(500));
    const clock = {
      ...shop.clock,
      async sleep(_ms: number, signal: AbortSignal | undefined) {
        controller.abort(new Error("stop waiting"));
        signal?.throwIfAborted();
      },
    };
    expect((await failure({ signal: controller.signal, clock })).message).toBe("stop waiting");
  });
});
