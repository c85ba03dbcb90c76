import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { proxyFor } from "../../src/fetch/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

usesPrograms("tinyproxy");

describe("the proxy for a URL", () => {
  const via = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.url;

  it("comes from the variable of its scheme, lower case before upper case", () => {
    expect(via("http://m/x", { http_proxy: "http://p:1" })).toBe("http://p:1");
    expect(via("http://m/x", { HTTP_PROXY: "http://q:1" })).toBe("http://q:1");
    expect(via("http://m/x", { http_proxy: "http://p:1", HTTP_PROXY: "http://q:1" })).toBe("http://p:1");
    expect(via("https://m/x", { HTTPS_PROXY: "http://s:1", http_proxy: "http://p:1" })).toBe("http://s:1");
    expect(via("https://m/x", { http_proxy: "http://p:1" })).toBe("http://p:1");
    expect(via("http://m/x", { https_proxy: "http://s:1" })).toBeUndefined();
    expect(via("http://m/x", { http_proxy: "" })).toBeUndefined();
    expect(via("http://m/x", { http_proxy: "p:3128" })).toBe("http://p:3128");
  });

  it("is none for what no_proxy names", () => {
    const env = { http_proxy: "http://p:1" };
    for (const [list, url, direct] of [
      ["*", "http://m/", true],
      ["m", "http://m/", true],
      ["m", "http://sub.m/", true],
      [".m", "http://sub.m/", true],
      ["*.m", "http://sub.m/", true],
      ["m", "http://notm/", false],
      ["m:80", "http://m/", true],
      ["m:8080", "http://m/", false],
      ["a, m", "http://m/", true],
      ["a m", "http://m/", true],
      ["M", "http://m/", true],
      ["127.0.0.1", "http://127.0.0.1:99/", true],
      ["[::1]", "http://[::1]/", true],
      ["::1", "http://[::1]:8102/", true],
      ["localhost,::1", "http://[::1]/", true],
      ["0:0::1", "http://[::1]/", true],
      ["::1/64", "http://[::1]/", true],
      ["[::1]:8102", "http://[::1]:8102/", true],
      ["[::1]:8103", "http://[::1]:8102/", false],
      ["::2", "http://[::1]/", false],
      ["fd00::/8", "http://[fd12:3456::1]/", true],
      ["fd00::/8", "http://[fe80::1]/", false],
      ["[fd00::]/8", "http://[fd12:3456::1]/", true],
      ["::1/129", "http://[::1]/", false],
      ["127.0.0.0/8", "http://127.0.0.1:99/", true],
      ["127.0.0.1/8", "http://127.9.9.9/", true],
      ["192.168.0.0/16", "http://192.168.0.1/", true],
      ["192.168.0.0/24", "http://192.168.1.1/", false],
      ["192.168.0.0/33", "http://192.168.0.0/", false],
      ["192.168.0.0/x", "http://192.168.0.0/", false],
      ["192.168.0.0", "http://192.168.0.1/", false],
      ["10.0.0.0/8:8080", "http://10.1.1.1:8080/", true],
      ["10.0.0.0/8:8080", "http://10.1.1.1/", false],
      ["::1", "http://127.0.0.1/", false],
      ["0.0.1", "http://127.0.0.1/", false],
      ["foo, bar, ::1/64", "http://BAr/", true],
      ["foo,,,,,              bar", "http://bar/", true],
      ["m.", "http://sub.m/", true],
      ["m", "http://sub.m./", true],
      [".", "http://m./", false],
      ["*, m", "http://other/", false],
    ] as const) {
      expect(via(url, { ...env, no_proxy: list }) === undefined, `${list} ${url}`).toBe(direct);
      expect(via(url, { ...env, NO_PROXY: list }) === undefined, `${list} ${url}`).toBe(direct);
    }
  });

  it("is never shown with its credentials, and a bad one is an error naming the variable", () => {
    const proxy = proxyFor(new URL("http://m/"), { http_proxy: "http://u:secret@p:1" });
    expect(proxy?.url).toBe("http://p:1");
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from("u:secret").toString("base64")}`);
    const bad = () => proxyFor(new URL("http://m/"), { HTTP_PROXY: "http://u:secret@p:x" });
    expect(bad).toThrow(/HTTP_PROXY/);
    expect(bad).not.toThrow(/secret/);
    expect(() => proxyFor(new URL("http://m/"), { http_proxy: "socks5://p:1" })).toThrow(
      /unsupported scheme/,
    );
  });
});

const tinyproxy = ["/usr/bin/tinyproxy", "/usr/sbin/tinyproxy"].find((file) => existsSync(file));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Resolves once somebody listens. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the proxy did not start");
}

describe.skipIf(tinyproxy === undefined)("a real proxy (tinyproxy)", () => {
  let shop: Workshop;
  let child: ChildProcess;
  let proxy: string;
  let proxyLog: string;
  beforeEach(async () => {
    shop = await openWorkshop();
    const port = await freePort();
    proxyLog = path.join(shop.dir, "proxy.log");
    const config = path.join(shop.dir, "proxy.conf");
    const lines = [
      `Port ${port}`,
      "Listen 127.0.0.1",
      "Timeout 30",
      `LogFile "${proxyLog}"`,
      "LogLevel Connect",
      "BasicAuth user s3cret",
    ];
    await writeFile(config, `${lines.join("\n")}\n`);
    child = spawn(tinyproxy ?? "", ["-d", "-c", config], { stdio: "ignore" });
    await listening(port);
    proxy = `http://user:s3cret@127.0.0.1:${port}`;
    await shop.put("a.bin", Buffer.alloc(500_000, "proxied"));
  });
  afterEach(async () => {
    child.kill("SIGKILL");
    await shop.close();
  });

  const download = (env: Record<string, string>) =>
    shop.transport({ env }).download({
      name: "a.bin",
      kind: "any",
      url: `${shop.server.url}/a.bin`,
      target: path.join(shop.out, "a.bin"),
    });

  it("stands between us and the mirror when http_proxy names it", async () => {
    expect(await download({ http_proxy: proxy })).toMatchObject({ status: "fetched", size: 500_000 });
    expect(await readFile(proxyLog, "utf8")).toContain("/a.bin");
    expect(shop.server.log, JSON.stringify(shop.events)).toEqual(["GET /a.bin"]);
  });

  it("is passed by for a host in no_proxy", async () => {
    expect(await download({ HTTP_PROXY: proxy, no_proxy: "127.0.0.1" })).toMatchObject({ status: "fetched" });
    expect(await readFile(proxyLog, "utf8")).not.toContain("/a.bin");
  });

  it("that wants a password is named in the error, without the one that was tried", async () => {
    const error = await rejection(download({ http_proxy: proxy.replace("s3cret", "wr0ng") }));
    expect(error.message).toMatch(/proxy/);
    expect(error.hint).toMatch(/user name and password .*http_proxy/);
    expect(`${error.message} ${error.hint} ${error.where}`).not.toContain("wr0ng");
  });

  it("that is not there is named in the error", async () => {
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const error = await rejection(download({ http_proxy: proxy }));
    expect(error.code).toBe("unreachable");
    expect(error.message).toContain("through the proxy http://127.0.0.1:");
  });
});
