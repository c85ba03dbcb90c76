/** Downloads that go well, and whose credentials and connections are kept to where they belong. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { squashfs, useDownloads } from "./download-rig.ts";
import { stall, status } from "./hostile-server.ts";
import { openWorkshop, rejection } from "./workshop.ts";

const rig = useDownloads();

describe("a download", () => {
  it("arrives whole, with size, digests, validators and where it came from", async () => {
    const outcome = await rig.shop.transport().download(rig.request());
    expect(outcome).toMatchObject({
      status: "fetched",
      size: squashfs.length,
      sha256: createHash("sha256").update(squashfs).digest("hex"),
      md5: createHash("md5").update(squashfs).digest("hex"),
      url: `${rig.shop.server.url}/a.tcz`,
      etag: expect.stringMatching(/^"/),
      lastModified: expect.stringMatching(/GMT$/),
    });
    await rig.expectWhole();
    expect(await rig.shop.outputs()).toEqual(["a.tcz"]);
  });

  it("of an empty file is an empty file", async () => {
    await rig.shop.put("empty", "");
    await rig.shop.transport().download(rig.request("empty", "any"));
    expect(await readFile(path.join(rig.shop.out, "empty"), "utf8")).toBe("");
  });

  it("tells when it begins, proceeds and ends", async () => {
    await rig.shop.transport().download(rig.request());
    expect(rig.shop.events.map((event) => event.type)).toEqual([
      "download-start",
      "download-progress",
      "download-done",
    ]);
    expect(rig.shop.events[1]).toMatchObject({ total: squashfs.length });
    expect(rig.shop.events[2]).toMatchObject({ bytes: squashfs.length, status: "fetched" });
  });

  it("replaces what was at the target only when its check agrees", async () => {
    await writeFile(path.join(rig.shop.out, "a.tcz"), "old");
    const refused = rig.shop.transport().download(rig.request(), () => {
      throw new Error("no");
    });
    expect((await rejection(refused)).message).toBe("no");
    expect(await readFile(path.join(rig.shop.out, "a.tcz"), "utf8")).toBe("old");
    expect(await rig.shop.outputs()).toEqual(["a.tcz"]);
  });

  it("uses one connection again and again for one file after another", async () => {
    const transport = rig.shop.transport();
    for (let i = 0; i < 5; i += 1) await transport.download(rig.request());
    expect(rig.shop.server.connections()).toBe(1);
  });

  it("of many files keeps to the widths overall and per origin", async () => {
    let asked = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    for (let i = 0; i < 20; i += 1) {
      await rig.shop.put(`many${i}`, "x");
      rig.shop.server.always(`/many${i}`, async (_request, _response, next) => {
        asked += 1;
        await gate;
        await next();
      });
    }
    const transport = rig.shop.transport({ limits: { perOrigin: 3 } });
    const all = Promise.all(
      Array.from({ length: 20 }, (_, i) => transport.download(rig.request(`many${i}`, "any"))),
    );
    while (asked < 3) await new Promise(setImmediate);
    // None of them is answered yet; a fourth would come now.
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect(asked).toBe(3);
    expect(rig.shop.server.connections()).toBe(3);
    open();
    await all;
    expect((await rig.shop.outputs()).length).toBe(20);
  });

  it("from a file: URL or a plain path needs no server, even offline", async () => {
    const local = path.join(rig.shop.root, "a.tcz");
    const transport = rig.shop.transport({ offline: true });
    for (const url of [local, pathToFileURL(local).href]) {
      const outcome = await transport.download({ ...rig.request(), url });
      expect(outcome).toMatchObject({ status: "fetched", size: squashfs.length });
    }
    const missing = { ...rig.request(), url: path.join(rig.shop.root, "none.tcz") };
    expect((await rejection(transport.download(missing))).code).toBe("not-found");
    expect(await transport.download({ ...missing, optional: true })).toEqual({ status: "absent" });
    expect((await rejection(transport.download({ ...rig.request(), url: rig.shop.root }))).code).toBe(
      "not-a-file",
    );
    expect(rig.shop.server.log).toEqual([]);
  });

  it("that is asked for with validators is not sent again when they hold", async () => {
    const transport = rig.shop.transport();
    const first = await transport.download(rig.request());
    if (first.status !== "fetched" || first.etag === undefined) throw new Error("no etag");
    const again = { ...rig.request(), validators: { etag: first.etag } };
    expect(await transport.download(again)).toEqual({ status: "unchanged" });
    const { lastModified } = first;
    if (lastModified === undefined) throw new Error("no Last-Modified");
    expect(await transport.download({ ...rig.request(), validators: { lastModified } })).toEqual({
      status: "unchanged",
    });
  });
});

describe("credentials and sockets", () => {
  it("a user name and password are sent to their origin and never shown", async () => {
    const seen: (string | undefined)[] = [];
    rig.shop.server.always("/a.tcz", (incoming, _response, next) => {
      seen.push(incoming.headers.authorization);
      return next();
    });
    const url = rig.shop.server.url.replace("http://", "http://me:s3cret@");
    const outcome = await rig.shop.transport().download({ ...rig.request(), url: `${url}/a.tcz` });
    const error = await rejection(rig.shop.transport().download({ ...rig.request(), url: `${url}/none` }));
    expect(seen).toEqual([`Basic ${Buffer.from("me:s3cret").toString("base64")}`]);
    const shown = JSON.stringify([outcome, rig.shop.events, error.message, error.where, error.hint]);
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
      rig.shop.server.always("/a.tcz", status(302, { location: `${other.server.url}/a.tcz` }));
      const url = `${rig.shop.server.url.replace("http://", "http://me:s3cret@")}/a.tcz`;
      await rig.shop.transport().download({ ...rig.request(), url });
      expect(seen).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it("offline opens no socket", async () => {
    const error = await rig.failure({ offline: true });
    expect(error.code).toBe("offline");
    expect(rig.shop.server.connections()).toBe(0);
  });

  it("an abort ends downloads that run, wait or back off, and leaves nothing", async () => {
    for (const [name, fault] of [
      ["body", stall("hsqs")],
      ["header", stall()],
    ] as const) {
      const controller = new AbortController();
      rig.shop.server.fail("/a.tcz", (incoming, response, next) => {
        setImmediate(() => controller.abort(new Error(`stop ${name}`)));
        return fault(incoming, response, next);
      });
      const transport = rig.shop.transport({ signal: controller.signal, limits: { overall: 1 } });
      const running = rejection(transport.download(rig.request()));
      const waiting = rejection(
        transport.download({ ...rig.request(), target: path.join(rig.shop.out, "b") }),
      );
      expect((await running).message).toBe(`stop ${name}`);
      expect((await waiting).message).toBe(`stop ${name}`);
      expect(await rig.shop.outputs()).toEqual([]);
    }
    const controller = new AbortController();
    rig.shop.server.always("/a.tcz", status(500));
    const clock = {
      ...rig.shop.clock,
      async sleep(_ms: number, signal: AbortSignal | undefined) {
        controller.abort(new Error("stop waiting"));
        signal?.throwIfAborted();
      },
    };
    expect((await rig.failure({ signal: controller.signal, clock })).message).toBe("stop waiting");
  });
});
