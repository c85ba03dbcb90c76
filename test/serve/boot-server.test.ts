/** The boot server as machines, users and people who mean harm see it. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BootFile, type BootImage, BootServer, type ServeEvent } from "../../src/serve/index.ts";

const token = "a-token-of-some-length";
let directory = "";
let server: BootServer;
let events: ServeEvent[];

async function open(checkIn = true): Promise<void> {
  server = await BootServer.open({
    ...{ host: "127.0.0.1", port: 0, checkIn, token, first: "dev" },
    now: () => new Date(1_600_000_000_000),
  });
  server.onEvent = (event) => events.push(event);
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "razor mk serve "));
  events = [];
  await open();
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

async function bootFile(name: string, text: string | Buffer, place = name): Promise<BootFile> {
  const file = path.join(directory, place);
  // As a build does: beside it, and renamed.
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { name, path: file, size: Buffer.byteLength(text), sha256 };
}

async function image(variant = "dev", overlay = "edited"): Promise<BootImage> {
  return {
    variant,
    kernel: await bootFile("vmlinuz", "the kernel"),
    initrds: [await bootFile("core.gz", "Core's initrd"), await bootFile("overlay.gz", overlay)],
    args: ["quiet", "loglevel=3"],
  };
}

async function get(target: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await fetch(`${server.url}${target}`, { headers, method, redirect: "manual" });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The whole answer to a request that `fetch` would not send; ended by the server. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      answer += chunk;
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
    socket.end(text);
  });
}

/** The addresses of the files that a script names, in order. */
function filesOf(script: string): readonly string[] {
  return [...script.matchAll(/^(?:kernel|initrd) (\S+)/gm)].map(([, file]) => `/${file}`);
}

const checkin = (id: string, more = ""): string =>
  `/razor/api/node/checkin?hw_id=${id}&last_state=idle${more}`;

async function register(id: string, facts: unknown): Promise<number> {
  const fields = { "@hw_id": id, "@attributes_hash": facts, "@last_state": "idle" };
  const body = new URLSearchParams({ json_hash: JSON.stringify(fields) });
  return (await fetch(`${server.url}/razor/api/node/register`, { method: "POST", body })).status;
}

describe("a boot server", () => {
  it("gives a script that names kernel and initrds by their contents, relative to itself", async () => {
    await server.publish([await image()]);
    const { status, text, headers } = await get("/boot.ipxe", { host: "10.0.2.2:8080" });
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    const lines = text.split("\n");
    expect(lines[0]).toBe("#!ipxe");
    expect(lines[1]).toMatch(
      /^kernel files\/[0-9a-f]{64}\/vmlinuz initrd=core\.gz initrd=overlay\.gz quiet loglevel=3 razor\.ip=\S+$/,
    );
    expect(lines.slice(-2)).toEqual(["boot", ""]);
    const contents = await Promise.all(filesOf(text).map(async (file) => (await get(file)).text));
    // A plain archive begins at a multiple of four bytes.
    expect(contents).toEqual(["the kernel\0\0", "Core's initrd\0\0\0", "edited\0\0"]);
    expect(events).toEqual([{ type: "boot", variant: "dev", address: "127.0.0.1" }]);
  });

  it("tells the machine where to check in, by the name that the machine knows; and not where nothing may check in", async () => {
    await server.publish([await image()]);
    const scriptAt = (host: string) =>
      raw(`GET /boot.ipxe HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await scriptAt("10.0.2.2:8080")).toContain(" razor.ip=10.0.2.2:8080\n");
    expect(await scriptAt("[fec0::2]:80")).toContain(" razor.ip=[fec0::2]:80\n");
    for (const hostile of ["a init=/bin/sh", "a;b", "a&&reboot", ["$", "{x}"].join(""), "a\tb", ""])
      expect(await scriptAt(hostile)).not.toContain("razor.ip");
    await server.close();
    await open(false);
    await server.publish([await image()]);
    expect((await get("/boot.ipxe")).text).not.toContain("razor.ip");
    expect((await get(checkin("525400123456"))).status).toBe(404);
  });

  it("lets choose among variants, and starts the first one by itself", async () => {
    expect(await get("/boot.ipxe")).toMatchObject({ status: 503 });
    await server.publish([await image("prod"), await image("dev")]);
    const menu = (await get("/boot.ipxe")).text;
    expect(menu).toContain("item dev dev\nitem prod prod\nchoose --default dev --timeout 5000 variant");
    expect(menu).toMatch(/^chain boot\.ipxe\?variant=\$\{variant\}$/m);
    expect((await get("/boot.ipxe?variant=prod")).text).toContain("kernel files/");
    const unknown = await get("/boot.ipxe?variant=<script>");
    expect(unknown).toMatchObject({ status: 404, text: "This variant is not built; there are: dev, prod\n" });
    await server.publish([await image("dev")]);
    expect((await get("/boot.ipxe?variant=prod")).status).toBe(404);
  });

  it("gives parts, and nothing to who has it", async () => {
    await server.publish([await image()]);
    const [, core = ""] = filesOf((await get("/boot.ipxe")).text);
    const whole = await get(core);
    const etag = whole.headers.get("etag") ?? "";
    expect(etag).toBe(`"${core.split("/")[2]}"`);
    expect(await get(core, { range: "bytes=7-12" })).toMatchObject({ status: 206, text: "initrd" });
    expect(await get(core, { range: "bytes=-5" })).toMatchObject({ status: 206, text: "rd\0\0\0" });
    expect((await get(core, { range: "bytes=0-0" })).headers.get("content-range")).toBe("bytes 0-0/16");
    expect(await get(core, { range: "bytes=99-" })).toMatchObject({ status: 416, text: "" });
    expect(await get(core, { "if-none-match": etag })).toMatchObject({ status: 304, text: "" });
    expect(await get(core, { range: "bytes=0-3", "if-range": '"other"' })).toMatchObject({ status: 200 });
    expect(await get(core, {}, "HEAD")).toMatchObject({ status: 200, text: "" });
    expect(await get(core, {}, "PUT")).toMatchObject({ status: 405 });
    expect([...whole.headers.keys()].filter((name) => name.startsWith("x-"))).toEqual([]);
  });

  it("goes on giving the files that an earlier script named, and then forgets them", async () => {
    await server.publish([await image("dev", "one")]);
    const before = filesOf((await get("/boot.ipxe")).text);
    expect(await server.publish([await image("dev", "two")])).toEqual(["dev"]);
    expect(await server.publish([await image("dev", "two")])).toEqual([]);
    const after = filesOf((await get("/boot.ipxe")).text);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect((await get(before[2] ?? "")).text).toBe("one\0");
    expect((await get(after[2] ?? "")).text).toBe("two\0");
    for (let edit = 0; edit < 20; edit += 1) await server.publish([await image("dev", `edit ${edit}`)]);
    expect((await get(before[2] ?? "")).status).toBe(404);
    const open = (await readdir("/proc/self/fd", { withFileTypes: true })).length;
    for (let edit = 20; edit < 40; edit += 1) await server.publish([await image("dev", `edit ${edit}`)]);
    expect((await readdir("/proc/self/fd")).length).toBeLessThanOrEqual(open);
  });

  it("keeps serving what it served when a file is gone", async () => {
    await server.publish([await image("dev", "one")]);
    const next = await image("dev", "two");
    const gone = {
      ...next,
      initrds: [...next.initrds, { ...next.kernel, name: "x", path: "/nonexistent", sha256: "0" }],
    };
    await expect(server.publish([gone])).rejects.toThrow("ENOENT");
    const [, , overlay = ""] = filesOf((await get("/boot.ipxe")).text);
    expect((await get(overlay)).text).toBe("one\0");
  });

  it("gives no other file, whatever the path", async () => {
    await server.publish([await image()]);
    await writeFile(path.join(directory, "secret"), "secret");
    const [kernel = ""] = filesOf((await get("/boot.ipxe")).text);
    const parent = kernel.slice(0, kernel.lastIndexOf("/"));
    for (const target of [
      "/../secret",
      "/files/../secret",
      `${parent}/../../../secret`,
      `${parent}/%2e%2e/secret`,
      `${parent}/secret`,
      `${parent}/core.gz`,
      `/files/${"0".repeat(64)}/vmlinuz`,
      "//etc/passwd",
      "http://elsewhere/etc/passwd",
      "/%00",
      "*",
    ]) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer.split("\r\n")[0], target).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(answer).not.toContain("secret");
    }
  });

  it("serves 200 clients at once, beside one that takes a byte a second", async () => {
    const large = Buffer.alloc(4 * 1024 * 1024, "x");
    await server.publish([{ ...(await image()), kernel: await bootFile("vmlinuz", large) }]);
    const [kernel = ""] = filesOf((await get("/boot.ipxe")).text);
    const slow = connect(server.port, "127.0.0.1");
    slow.write(`GET ${kernel} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise((resolve) => slow.once("readable", resolve));
    slow.read(1);
    try {
      const before = process.memoryUsage().rss;
      const sizes = await Promise.all(
        Array.from({ length: 200 }, async () => {
          const response = await fetch(`${server.url}${kernel}`);
          let size = 0;
          for await (const chunk of response.body ?? []) size += chunk.length;
          return size;
        }),
      );
      expect(sizes).toEqual(Array.from({ length: 200 }, () => large.length));
      // All of them whole in memory would be 800 MiB.
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    } finally {
      slow.destroy();
    }
  });
});

describe("the machines of a boot server", () => {
  const id = "525400123456_525400123499";

  it("are asked to register, then to go on, and once to do what was ordered", async () => {
    const command = async (more = "") => {
      const { text } = await get(checkin(id, more));
      const { errcode, response } = JSON.parse(text);
      return [errcode, response.command_name];
    };
    expect(await command("&first_checkin=true")).toEqual([0, "register"]);
    expect(await command()).toEqual([0, "register"]);
    expect(await register(id, { hostname: "mk525400123456", n: 1 })).toBe(200);
    expect(await command()).toEqual([0, "acknowledge"]);
    const ordered = await get(`/machines/${id}/reboot?token=${token}`, {}, "POST");
    expect([ordered.status, ordered.headers.get("location")]).toEqual([303, `/?token=${token}`]);
    expect(await command()).toEqual([0, "reboot"]);
    expect(await command()).toEqual([0, "acknowledge"]);
    expect(await command("&first_checkin=true")).toEqual([0, "register"]);
    expect(events.map((event) => event.type === "machine" && `${event.what}: ${event.command}`)).toEqual([
      ...["checked in: register", "checked in: register", "registered: register", "checked in: acknowledge"],
      ...["ordered: reboot", "checked in: acknowledge", "checked in: register"],
    ]);
    const [machine] = JSON.parse((await get(`/machines.json?token=${token}`)).text);
    expect(machine).toMatchObject({ id, checkins: 6, facts: { hostname: "mk525400123456", n: "1" } });
  });

  it("are shown to nobody and ordered by nobody without the token", async () => {
    await register(id, { hostname: "mk" });
    for (const bad of ["", "?token=", "?token=wrong", `?token=${"x".repeat(token.length)}`]) {
      expect((await get(`/${bad}`)).status).toBe(403);
      expect((await get(`/machines.json${bad}`)).status).toBe(404);
      expect((await get(`/machines/${id}${bad}`)).status).toBe(404);
      expect((await get(`/machines/${id}/reboot${bad}`, {}, "POST")).status).toBe(404);
    }
    expect((await get(`/machines/${id}/reboot?token=${token}`)).status).toBe(405);
    expect((await get(`/machines/${id}/burn?token=${token}`, {}, "POST")).status).toBe(404);
    expect((await get(`/machines/AA/reboot?token=${token}`, {}, "POST")).status).toBe(404);
    expect(JSON.parse((await get(checkin(id))).text).response.command_name).toBe("acknowledge");
  });

  it("cannot put markup, escapes or turned text into the page or the terminal", async () => {
    const hostile = "<script>alert(1)</script>\"'\u001b[31m\u202egpj.exe\u0000";
    expect(await register(id, { hostname: hostile, [hostile]: hostile })).toBe(200);
    const list = await get(`/?token=${token}`);
    const page = await get(`/machines/${id}?token=${token}`);
    expect(page.text).toContain(
      "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\\x1b[31m\\u202egpj.exe\\x00",
    );
    const raw = (text: string) => ["<script", "\u001b", "\u202e", "\0"].filter((part) => text.includes(part));
    expect(raw(page.text)).toEqual([]);
    expect(list.text).toContain("<h3>&lt;script&gt;alert(1)");
    expect(raw(list.text)).toEqual([]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const { text } = await get(`/machines.json?token=${token}`);
    expect(raw(text)).toEqual(["<script"]);
    expect(JSON.parse(text)[0].facts.hostname).toBe(hostile);
    expect(JSON.stringify(events)).not.toContain("script");
  });

  it("are refused what is no check-in, in Razor's words", async () => {
    for (const bad of ["", "<script>", "52540012345", "525400123456_", "525400123456 reboot"]) {
      const answer = await get(checkin(encodeURIComponent(bad)));
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toEqual({ errcode: 1, error: "Must Provide Hardware IDs[hw_id]" });
    }
    expect((await get(checkin(id), {}, "POST")).status).toBe(405);
    expect((await get("/razor/api/node/elsewhere")).status).toBe(404);
    const post = async (body: string) =>
      (await fetch(`${server.url}/razor/api/node/register`, { method: "POST", body })).status;
    expect(await post("json_hash={")).toBe(400);
    expect(await post("json_hash=[]")).toBe(400);
    expect(
      await post(`json_hash=${encodeURIComponent('{"@hw_id":"525400123456","@attributes_hash":[]}')}`),
    ).toBe(400);
    expect(await post("")).toBe(400);
    expect(await post("x".repeat(1024 * 1024 + 1))).toBe(413);
    expect(JSON.parse((await get(`/machines.json?token=${token}`)).text)).toEqual([]);
  });

  it("are remembered up to 500, the last ones", async () => {
    const name = (index: number): string => index.toString(16).padStart(12, "0").toUpperCase();
    for (let index = 0; index < 510; index += 1) await get(checkin(name(index)));
    const ids = JSON.parse((await get(`/machines.json?token=${token}`)).text).map(
      ({ id }: { id: string }) => id,
    );
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([500, name(509), name(10)]);
  });
});
