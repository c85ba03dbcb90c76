/** Downloads that cannot come right, and are refused at once. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { writeFailure } from "../../src/fetch/http/sink.ts";
import { useDownloads } from "./download-rig.ts";
import { content, endless, raw, status } from "./hostile-server.ts";
import { rejection } from "./workshop.ts";

const rig = useDownloads();

describe("what cannot be right is refused at once", () => {
  it("404 names the file, the URL and who asked for it", async () => {
    const error = await rig.failure(
      {},
      { url: `${rig.shop.server.url}/none.tcz`, where: "lists/builtin.lst:3" },
    );
    expect(error).toMatchObject({ code: "not-found", where: "lists/builtin.lst:3" });
    expect(error.message).toContain(`${rig.shop.server.url}/none.tcz`);
    expect(rig.shop.server.log.length).toBe(1);
  });

  it("404 for an optional file means there is none", async () => {
    expect(
      await rig.shop.transport().download({ ...rig.request("a.tcz.dep", "text"), optional: true }),
    ).toEqual({
      status: "absent",
    });
    expect(await rig.shop.outputs()).toEqual([]);
  });

  it("403 is not tried again", async () => {
    rig.shop.server.always("/a.tcz", status(403));
    expect((await rig.failure()).code).toBe("http-status");
    expect(rig.shop.server.log.length).toBe(1);
  });

  it("every answer that is no file says what could be done", async () => {
    for (const [code, hint] of [
      [400, "another mirror"],
      [401, "add user name and password to the URL"],
      [403, "may use this mirror"],
      [410, "check the name"],
    ] as const) {
      rig.shop.server.always("/a.tcz", status(code));
      expect((await rig.failure()).hint).toContain(hint);
    }
  });

  it("a web page in place of a squashfs is a captive portal or error page", async () => {
    rig.shop.server.always("/a.tcz", content("<!DOCTYPE html>\n<html><body>Log in</body></html>"));
    const error = await rig.failure();
    expect(error.code).toBe("captive-portal");
    expect(error.message).toContain("captive portal or error page");
  });

  it("so it is in place of a small text file", async () => {
    rig.shop.server.always("/x.dep", content("  <html><head>"));
    const error = await rejection(rig.shop.transport().read(rig.request("x.dep", "text")));
    expect(error.code).toBe("captive-portal");
  });

  it("other bytes than asked for are named for what they are not", async () => {
    rig.shop.server.always("/a.tcz", content("PK something else"));
    expect((await rig.failure()).message).toContain("not a squashfs image");
  });

  it("an endless body ends at the limit", async () => {
    rig.shop.server.always("/a.tcz", endless);
    expect((await rig.failure({ limits: { maxBytes: 1_000_000 } })).code).toBe("too-large");
  });

  it("a length beyond the limit is not even read", async () => {
    rig.shop.server.always("/a.tcz", (_request, response) => {
      response.writeHead(200, { "content-length": String(5 * 1024 ** 3) });
      response.write("hsqs");
    });
    const error = await rig.failure();
    expect(error.code).toBe("too-large");
    expect(error.message).toContain(String(4 * 1024 ** 3));
  });

  it("more bytes than announced are an error", async () => {
    rig.shop.server.always(
      "/a.tcz",
      raw("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhsqs1234and more of it"),
    );
    expect((await rig.failure()).code).toBe("body-too-long");
  });

  it("what is not HTTP at all is an error", async () => {
    rig.shop.server.always("/a.tcz", raw("SSH-2.0-OpenSSH_9.2\r\n"));
    expect((await rig.failure()).message).toContain("not valid HTTP");
  });

  it("a redirect loop ends after five", async () => {
    rig.shop.server.always("/a.tcz", status(302, { location: "/b.tcz" }));
    rig.shop.server.always("/b.tcz", status(302, { location: "/a.tcz" }));
    expect((await rig.failure()).code).toBe("too-many-redirects");
    expect(rig.shop.server.log.length).toBe(6);
  });

  it("a redirect to file: is refused", async () => {
    rig.shop.server.always("/a.tcz", status(301, { location: "file:///etc/passwd" }));
    const error = await rig.failure();
    expect(error.code).toBe("redirect-refused");
    expect(error.message).toContain("file:///etc/passwd");
  });

  it("redirects within http are followed", async () => {
    rig.shop.server.always("/old.tcz", status(301, { location: "a.tcz" }));
    await rig.shop.transport().download({ ...rig.request(), url: `${rig.shop.server.url}/old.tcz` });
    await rig.expectWhole();
  });

  it("a scheme that is not known is an error", async () => {
    expect((await rig.failure({}, { url: "ftp://127.0.0.1/a.tcz" })).code).toBe("unsupported-scheme");
  });

  it("a mirror that is not there says what else could be done", async () => {
    await rig.shop.server.close();
    const error = await rig.failure({ limits: { settings: { otherSource: "another source" } } });
    expect(error.code).toBe("unreachable");
    expect(error.hint).toContain("to build without a mirror use another source");
    expect(error.hint).toContain("http_proxy");
  });

  it("a full disk is named as such", () => {
    const full = writeFailure(Object.assign(new Error("no space"), { code: "ENOSPC" }), "/out/a.tcz");
    expect(full).toMatchObject({ code: "disk-full", where: "/out/a.tcz" });
  });

  it("a directory that cannot be written to is named", async () => {
    expect((await rig.failure({}, { target: path.join(rig.shop.dir, "nowhere", "a") })).code).toBe(
      "cannot-write",
    );
  });
});
