import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { parseRange } from "../../src/serve/range.ts";

let dir: string;
let server: Server;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "razor mk serve "));
  await mkdir(path.join(dir, "root", "sub"), { recursive: true });
  await writeFile(path.join(dir, "root", "sub", "a b+c.txt"), "0123456789");
  await writeFile(path.join(dir, "root", "empty"), "");
  await writeFile(path.join(dir, "secret"), "secret");
  await symlink("../secret", path.join(dir, "root", "leak"));
  await symlink("sub/a b+c.txt", path.join(dir, "root", "inside"));
  server = await serveDirectory(path.join(dir, "root"));
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

async function get(name: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await fetch(`${server.url}/${name}`, { headers, method });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** What a raw request line gets: `fetch` would tidy the path up. */
function rawStatus(line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
    socket.write(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}

describe("a served directory", () => {
  it("gives files with their length and validators", async () => {
    const answer = await get("sub/a%20b+c.txt");
    expect(answer).toMatchObject({ status: 200, text: "0123456789" });
    expect(answer.headers.get("content-length")).toBe("10");
    expect(answer.headers.get("etag")).toMatch(/^"/);
    expect((await get("inside")).text).toBe("0123456789");
    expect((await get("empty")).status).toBe(200);
  });

  it("answers HEAD without a body, and nothing but GET and HEAD", async () => {
    expect(await get("inside", {}, "HEAD")).toMatchObject({ status: 200, text: "" });
    expect((await get("inside", {}, "POST")).status).toBe(405);
  });

  it("gives parts, and refuses parts that are not there", async () => {
    expect(await get("inside", { range: "bytes=3-5" })).toMatchObject({ status: 206, text: "345" });
    expect(await get("inside", { range: "bytes=7-" })).toMatchObject({ status: 206, text: "789" });
    expect(await get("inside", { range: "bytes=-2" })).toMatchObject({ status: 206, text: "89" });
    expect((await get("inside", { range: "bytes=10-" })).status).toBe(416);
    expect(await get("inside", { range: "bytes=3-", "if-range": '"other"' })).toMatchObject({
      status: 200,
      text: "0123456789",
    });
  });

  it("says when nothing has changed", async () => {
    const { headers } = await get("inside");
    const etag = headers.get("etag") ?? "";
    const modified = headers.get("last-modified") ?? "";
    expect((await get("inside", { "if-none-match": etag })).status).toBe(304);
    expect((await get("inside", { "if-none-match": '"x"', "if-modified-since": modified })).status).toBe(200);
    expect((await get("inside", { "if-modified-since": modified })).status).toBe(304);
  });

  it("gives nothing from outside, be it by dots, escapes or links", async () => {
    for (const name of [
      "/../secret",
      "/sub/../../secret",
      "/%2e%2e/secret",
      "/..%2fsecret",
      "/leak",
      "//etc/passwd",
    ]) {
      const answer = await rawStatus(`GET ${name} HTTP/1.1`);
      expect(answer, name).toContain(" 404 ");
      expect(answer, name).not.toContain("secret");
    }
    for (const name of ["/", "/sub", "/%00", "/%zz", "/none"]) {
      expect(await rawStatus(`GET ${name} HTTP/1.1`), name).toContain(" 404 ");
    }
  });
});

describe("a range header", () => {
  it("is understood or ignored, never a position outside", () => {
    expect(parseRange("bytes=0-0", 10)).toEqual({ first: 0, last: 0 });
    expect(parseRange("bytes=5-99", 10)).toEqual({ first: 5, last: 9 });
    expect(parseRange("bytes=-99", 10)).toEqual({ first: 0, last: 9 });
    expect(parseRange("bytes=-0", 10)).toBe("unsatisfiable");
    expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
    for (const odd of [undefined, "", "bytes=", "bytes=-", "bytes=5-3", "bytes=1-2,4-5", "lines=1-2"]) {
      expect(parseRange(odd, 10)).toBeUndefined();
    }
  });
});
