/** Downloads that meet what may pass, and are tried again. */
import { describe, expect, it } from "vitest";
import { squashfs, useDownloads } from "./download-rig.ts";
import { cutOff, stall, status } from "./hostile-server.ts";

const rig = useDownloads();

describe("what may pass is tried again", () => {
  it("a connection that is reset in mid-body continues where it broke off", async () => {
    const { etag } = (await rig.shop.transport().download(rig.request())) as { etag: string };
    rig.shop.server.fail("/a.tcz", cutOff(squashfs, 100_000, { etag }));
    rig.shop.server.log.length = 0;
    await rig.shop.transport().download(rig.request());
    await rig.expectWhole();
    expect(rig.shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz range"]);
  });

  it("a file that changed between two tries is begun anew", async () => {
    rig.shop.server.fail("/a.tcz", cutOff(Buffer.alloc(400_000, "old"), 100_000, { etag: '"old"' }));
    await rig.shop.transport().download(rig.request());
    await rig.expectWhole();
  });

  it("a server without validators is asked for the whole again", async () => {
    rig.shop.server.fail("/a.tcz", cutOff(squashfs, 100_000));
    await rig.shop.transport().download(rig.request());
    await rig.expectWhole();
    expect(rig.shop.server.log).toEqual(["GET /a.tcz", "GET /a.tcz"]);
  });

  it("a server that continues at another place is not believed", async () => {
    rig.shop.server.fail("/a.tcz", cutOff(squashfs, 1000, { etag: '"x"' }), (_request, response) => {
      response.writeHead(206, { "content-range": `bytes 500-${squashfs.length - 1}/${squashfs.length}` });
      response.end(squashfs.subarray(500));
    });
    await rig.shop.transport().download(rig.request());
    await rig.expectWhole();
  });

  it("a stall counts as a broken connection", async () => {
    rig.shop.server.fail("/a.tcz", stall(), stall("hsqs"));
    await rig.shop.transport().download(rig.request());
    await rig.expectWhole();
    expect(rig.shop.waits.length).toBe(2);
  });

  it("500 then 200 succeeds, after growing waits", async () => {
    rig.shop.server.fail("/a.tcz", status(500), status(503), status(408));
    await rig.shop.transport().download(rig.request());
    expect(rig.shop.waits).toEqual([375, 750, 1500]);
    expect(rig.shop.events.filter((event) => event.type === "download-retry")).toHaveLength(3);
  });

  it("429 waits as long as Retry-After says, in seconds or as a date", async () => {
    const date = new Date(rig.shop.clock.now() + 9000).toUTCString();
    rig.shop.server.fail("/a.tcz", status(429, { "retry-after": "7" }), status(429, { "retry-after": date }));
    await rig.shop.transport().download(rig.request());
    expect(rig.shop.waits[0]).toBe(7000);
    expect(rig.shop.waits[1]).toBeGreaterThan(0);
    expect(rig.shop.waits[1]).toBeLessThanOrEqual(9000);
  });

  it("but not for longer than is reasonable", async () => {
    rig.shop.server.always("/a.tcz", status(429, { "retry-after": "86400" }));
    expect((await rig.failure()).message).toContain("86400 s");
    expect(rig.shop.waits).toEqual([]);
  });

  it("four tries are enough", async () => {
    rig.shop.server.always("/a.tcz", status(502));
    const error = await rig.failure();
    expect(error.message).toContain("502");
    expect(error.message).toContain("a.tcz");
    expect(error.code).toBe("server-error");
    expect(rig.shop.server.log.length).toBe(4);
  });

  it("a body that is always cut off is an error naming it, and nothing is left", async () => {
    rig.shop.server.always("/a.tcz", cutOff(squashfs, 1000));
    const error = await rig.failure();
    expect(error.code).toBe("cut-off");
    expect(error.message).toContain("4 tries");
  });
});
