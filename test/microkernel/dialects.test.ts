/** Check-ins over HTTP with a strict server of each kind, which was written without knowledge of the client. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { type RazorDialect, RazorServer } from "../support/razor-server.ts";

usesPrograms("ruby");

const program = path.join(import.meta.dirname, "check_in.rb");
const facts = { mk_hw_nic_count: "1", os_name: "Grüße & 50%" };
let directory = "";
let server: RazorServer;
let url = "";

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "razor mk check-in "));
  await mkdir(path.join(directory, "proc"));
  await writeFile(path.join(directory, "proc/uptime"), "1000.00 1.00\n");
  for (const [name, address] of [
    ["eth0", "52:54:00:ab:cd:01"],
    ["eth1", "52:54:00:ab:cd:02"],
  ]) {
    const card = path.join(directory, `sys/class/net/${name}`);
    await mkdir(path.join(card, "device"), { recursive: true });
    await writeFile(path.join(card, "address"), `${address}\n`);
    await writeFile(path.join(card, "type"), "1\n");
  }
  server = new RazorServer();
  url = `127.0.0.1:${await server.listen()}`;
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

async function checkIn(turns: number, ...kernelArguments: readonly string[]): Promise<string> {
  const words = [program, directory, `${turns}`, ...kernelArguments];
  return (await promisify(execFile)("ruby", words, { encoding: "utf8" })).stdout;
}

const event = (dialect: RazorDialect, kind: "checkin" | "register", first: boolean, known = {}) => ({
  dialect,
  kind,
  hardware: ["525400ABCD01", "525400ABCD02"],
  first,
  facts: known,
});

describe("a Microkernel", () => {
  it.each(["razor", "hanlon"] as const)(
    "checks in, registers and takes a configuration: %s",
    async (dialect) => {
      await writeFile(path.join(directory, "mk_conf.yaml"), `mk_dialect: ${dialect}\n`);
      server.clientConfig = { mk_checkin_interval: 7, mk_strange: [1] };
      const said = await checkIn(3, `razor.ip=${url}`);
      expect(server.refusals).toEqual([]);
      expect(server.events).toEqual([
        event(dialect, "checkin", true),
        event(dialect, "register", false, facts),
        event(dialect, "checkin", false),
        event(dialect, "checkin", false),
      ]);
      expect(said).toBe(`Microkernel: registered with http://${url}, 2 facts\n`);
      expect(await readFile(path.join(directory, "mk_conf.yaml"), "utf8")).toContain(
        "mk_checkin_interval: 7",
      );
    },
  );

  it("posts its facts to razor-server at each turn", async () => {
    await checkIn(2, `razor.register=http://${url}/svc/checkin/12`);
    expect(server.refusals).toEqual([]);
    expect(server.events).toEqual(Array(2).fill(event("razor-server", "checkin", false, facts)));
  });

  it.each([
    [{ status: 500, body: "sad" }, "status 500"],
    [{ status: 200, body: "<html>hello</html>" }, "an answer that is no JSON"],
    [{ status: 302, body: "", headers: { Location: "http://elsewhere.invalid/" } }, "which is not followed"],
    [{ status: 200, body: "x".repeat(3_000_000) }, "an answer of more than 1048576 bytes"],
  ])("says in one line what is wrong with a server: %#", async (broken, words) => {
    server.broken = broken;
    const said = await checkIn(2, `razor.ip=${url}`);
    expect(said).toContain(words);
    expect(said.trim().split("\n")).toHaveLength(1);
  });
});

describe("the strict server", () => {
  const ask = async (target: string, init: RequestInit = {}) => {
    const { status } = await fetch(`http://${url}${target}`, init);
    return [status, server.refusals.at(-1)?.replace(/^.*?: /, "")];
  };
  const form = (value: unknown) => ({
    method: "POST",
    body: new URLSearchParams({ json_hash: JSON.stringify(value) }).toString(),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });

  it("refuses what a real server would not understand, with the reason", async () => {
    const node = "/razor/api/node";
    expect(await ask(`${node}/checkin?hw_id=525400abcd01&last_state=idle`)).toEqual([
      400,
      "hw_id has 525400abcd01",
    ]);
    expect(await ask(`${node}/checkin?last_state=idle`)).toEqual([400, "Must Provide Hardware IDs[hw_id]"]);
    expect(await ask(`${node}/checkin?hw_id=525400ABCD01`)).toEqual([
      400,
      "Must Provide Last State[last_state]",
    ]);
    expect(await ask(`${node}/chekin`)).toEqual([404, "no such resource"]);
    const good = { "@hw_id": "525400ABCD01", "@attributes_hash": { a: "1" }, "@last_state": "idle" };
    expect((await ask(`${node}/register`, form(good)))[0]).toBe(200);
    const { "@hw_id": id, ...rest } = good;
    expect(await ask(`${node}/register`, form({ ...rest, hw_id: id }))).toEqual([400, "missing: @hw_id"]);
    expect(await ask(`${node}/register`, form({ ...good, "@attributes_hash": {} }))).toEqual([
      400,
      "Must Provide Attributes Hash[attributes_hash]",
    ]);
    expect(await ask(`${node}/register`, form({ ...good, "@attributes_hash": { a: 1 } }))).toEqual([
      400,
      "fact a is no text",
    ]);
    const json = {
      method: "POST",
      body: JSON.stringify(good),
      headers: { "Content-Type": "application/json" },
    };
    expect(await ask(`${node}/register`, json)).toEqual([400, "content type application/json"]);
    expect((await ask("/svc/checkin/1", form(good)))[0]).toBe(400);
  });
});
