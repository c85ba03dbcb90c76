/** What the doctor finds on this machine and in a project, and what it says to a script. */
import { chmodSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it, vi } from "vitest";
import type { CheckContext, Parameter } from "../../src/engine/index.ts";
import { createShell, isOlder, ProcessGroups } from "../../src/host/index.ts";
import { serve } from "../../src/serve/index.ts";
import { initrdUnpacks, mirrorAnswers, proxiesAnswer } from "../../tasks/checks.ts";
import { InitrdParts, label, writeShape } from "../image/core-shapes.ts";
import { demo, put, runTask, snapshot } from "./workshop.ts";

interface Line {
  readonly check: string;
  readonly status: string;
  readonly text: string;
  readonly hint?: string;
}

it("says what is there, with versions, and that all is well; and leaves nothing behind", async () => {
  const root = demo();
  const before = snapshot(root);
  const { status, stdout } = await runTask(root, ["doctor", "greet"]);
  expect(status, stdout).toBe(0);
  expect(stdout).toContain(`✓ node`);
  expect(stdout).toContain(process.versions.node);
  expect(stdout).toMatch(/✓ sleep +\d+\.\d+.*; greet/);
  expect(stdout).toMatch(/✓ git +\d+\.\d+\.\d+, for the version of a build; not needed for these targets/);
  for (const check of ["space", "files", "reflink", "cache", "boot", "locale"])
    expect(stdout).toMatch(new RegExp(`^[✓!] ${check} `, "m"));
  expect(stdout).toMatch(/\nwell: all requirements are met\n$/);
  expect(snapshot(root)).toEqual(before);
});

it("fails when a needed program is missing or a check of the project fails, and says so in JSON", async () => {
  const root = demo();
  const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
  put(root, "tasks/all.ts", tasks.replace('tools: ["sh"', 'tools: ["no-such-tool", "sh"'));
  const text = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  const check = 'checks: [{ name: "moon", run: async () => { throw new Error("it is made of cheese"); } }],';
  put(root, "Taskfile.ts", text.replace("variants: {", `${check} variants: {`));
  const { status, stdout } = await runTask(root, ["doctor", "--json"]);
  expect(status).toBe(1);
  const missing = (JSON.parse(stdout) as readonly Line[]).filter((line) => line.status === "missing");
  expect(missing).toEqual([
    {
      check: "no-such-tool",
      status: "missing",
      text: "not installed; greet",
      tool: { use: "needed", installed: false },
    },
    { check: "moon", status: "missing", text: "it is made of cheese" },
  ]);
  expect((await runTask(root, ["doctor", "name"])).stdout).toMatch(/not yet: moon\n$/);
});

it("says once what a program is for, and how to get it", async () => {
  const { stdout } = await runTask(demo(), ["doctor", "name"], { PATH: "/nowhere" });
  expect(stdout).toMatch(
    /^! xorriso +not installed, for reading and writing ISO images; not needed for these targets\n {4}hint: install it with `apt-get install xorriso`, or /m,
  );
});

it("works where there is no project", async () => {
  const { stdout, stderr } = await runTask("/", ["doctor"]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/✓ node/);
  expect(stdout).toMatch(
    /✓ project +no project here; looked at what the program itself can build, \d+ tasks/,
  );
});

/** A context in which some parameters have values, and all others are off. */
function contextWith(values: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const value = async <T>({ name }: Parameter<T>) => values[name] as T;
  const workspace = path.resolve(import.meta.dirname, "../..");
  const signal = new AbortController().signal;
  const isStored = (sha256: string) =>
    (values.stored as readonly string[] | undefined)?.includes(sha256) === true;
  const storedFile = (sha256: string) =>
    (values.files as Readonly<Record<string, string>> | undefined)?.[sha256];
  return { value, workspace, env, signal, isStored, storedFile } satisfies CheckContext;
}

it("knows a mirror that answers from one that does not", async () => {
  const server = await serve(async (request, response) => {
    response.statusCode = request.url === "/tc/4.x/x86/release/Core-current.iso.md5.txt" ? 200 : 404;
    response.end("0  Core-current.iso\n");
  });
  try {
    const ask = (uri: string) =>
      mirrorAnswers.run(
        contextWith({
          source: "tinycore",
          "tcl-mirror-uri": `${server.url}${uri}`,
          lock: "/nowhere/lock",
        }),
      );
    expect(await ask("/tc")).toMatchObject({ status: "good", text: expect.stringContaining("answers") });
    expect(await ask("/elsewhere")).toMatchObject({
      status: "missing",
      text: expect.stringContaining("404"),
    });
  } finally {
    await server.close();
  }
});

it("takes a mirror that does not answer for good enough only when the cache has all that is pinned", async () => {
  const root = demo();
  const digests = ["a".repeat(64), "b".repeat(64)];
  const url = "http://127.0.0.1:9/tc/file";
  const lines = digests.map((sha256, index) => [`file-${index}`, { url, sha256, size: 1 }]);
  put(root, "lock.json", JSON.stringify({ version: 1, sources: { tinycore: Object.fromEntries(lines) } }));
  const ask = (stored: readonly string[]) =>
    mirrorAnswers.run(
      contextWith({
        source: "tinycore",
        "tcl-mirror-uri": "http://127.0.0.1:9/tc",
        lock: path.join(root, "lock.json"),
        stored,
      }),
    );
  expect(await ask([])).toMatchObject({
    status: "missing",
    text: expect.stringMatching(/2 of 2 pinned files/),
  });
  expect(await ask(digests.slice(1))).toMatchObject({
    status: "missing",
    text: expect.stringMatching(/1 of 2 pinned files are not in the cache/),
  });
  expect(await ask(digests)).toMatchObject({ status: "advice" });
});

it("is not well where --offline is given and nothing is in the cache", async () => {
  const offline = contextWith({ source: "tinycore", offline: true, lock: "/nowhere/lock" });
  expect(await mirrorAnswers.run(offline)).toMatchObject({
    status: "missing",
    text: "not checked: --offline is given; nothing of it is pinned yet",
  });
});

it("asks the mirror only for targets that use it, and for the targets that a build of this one brings along", async () => {
  const checkout = path.resolve(import.meta.dirname, "../..");
  const ask = async (...words: readonly string[]) =>
    JSON.parse(
      (
        await runTask(
          checkout,
          ["doctor", "--json", "--iso-version", "1", "--source-date-epoch", "1", ...words],
          { PATH: "/nowhere" },
        )
      ).stdout,
    ) as readonly (Line & { readonly tool?: { readonly use: string } })[];
  const devAccess = await ask("dev-access");
  expect(devAccess.map(({ check }) => check)).not.toContain("mirror");
  const iso = await ask("iso", "--pxe", "--offline");
  expect(iso.find(({ check }) => check === "mirror")).toMatchObject({ status: "missing" });
  for (const tool of ["ldconfig", "depmod"])
    expect(iso.find(({ check }) => check === tool)).toMatchObject({ tool: { use: "self-checked" } });
  expect(iso.find(({ check }) => check === "git")?.text).toMatch(/pxe/);
});

it("fails where a needed program is too old for what is asked of it", async () => {
  const root = demo();
  const old = path.join(root, "old");
  put(root, "old/xorriso", "#!/bin/sh\necho xorriso 1.4.2\n");
  chmodSync(path.join(old, "xorriso"), 0o755);
  const checkout = path.resolve(import.meta.dirname, "../..");
  const words = ["doctor", "iso", "--offline", "--iso-version", "1"];
  const { status, stdout } = await runTask(checkout, words, { PATH: `${old}:${process.env.PATH ?? ""}` });
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^✗ xorriso +1\.4\.2, for reading and writing ISO images, but 1\.4\.6 is required; /m,
  );
});

it("knows that 4.10 is no older than 4.9", () => {
  expect(isOlder("4.10", "4.9")).toBe(false);
  expect(isOlder("4.3.1", "4.4")).toBe(true);
  expect(isOlder("2.31.0.rc1", "2.31")).toBe(false);
  expect(isOlder("5", "4.9")).toBe(false);
});

it("asks for what the options need, and for no more", async () => {
  // The options decide, not the machine: nothing is installed where this PATH leads.
  const checkout = path.resolve(import.meta.dirname, "../..");
  const ask = async (...words: readonly string[]) => {
    const { stdout } = await runTask(
      checkout,
      ["doctor", "iso", "--offline", "--iso-version", "1", "--source-date-epoch", "1", ...words],
      {
        PATH: "/nowhere",
      },
    );
    return (tool: string) => new RegExp(`^(\\S) ${tool} `, "m").exec(stdout)?.[1];
  };
  const dev = await ask();
  expect(["libdeflate-gzip", "openssl", "ssh-keygen"].map(dev)).toEqual([..."!✗✗"]);
  const prod = await ask("--prod");
  expect(["libdeflate-gzip", "openssl", "ssh-keygen"].map(prod)).toEqual([..."✗!!"]);
  const small = await ask("--prod", "--compress", "default");
  expect(small("libdeflate-gzip")).toBe("!");
  expect((await ask("--source", "sample"))("dpkg")).toBe("✗");
}, 120_000);

it("knows a proxy that accepts connections from one that does not", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const env = { http_proxy: `http://user:hush@127.0.0.1:${port}` };
  expect(await proxiesAnswer.run(contextWith({}, env))).toMatchObject({ status: "good" });
  await new Promise((resolve) => server.close(resolve));
  const refused = await proxiesAnswer.run(contextWith({}, env));
  expect(refused).toMatchObject({ status: "missing", text: expect.stringContaining("http_proxy") });
  expect(refused.text).not.toContain("hush");
});

it("knows whether what unpacks the initrd of the Core ISO is installed, once the ISO is there", async () => {
  const root = demo();
  const $ = await createShell({ cwd: root, groups: new ProcessGroups() });
  const parts = new InitrdParts($, path.join(root, "parts"));
  const isoWith = async (command: readonly string[]): Promise<string> => {
    const iso = path.join(root, `${command[0]}.iso`);
    const files = {
      "boot/vmlinuz": "kernel",
      "boot/core.gz": await parts.whole(command),
      "boot/isolinux/isolinux.bin": "loader",
      "boot/isolinux/isolinux.cfg": `default core\n${label("core", "/boot/vmlinuz", "/boot/core.gz")}`,
      "more.xz": await parts.whole(["xz"]),
    };
    await writeShape($, iso, { files });
    return iso;
  };
  const xz = await isoWith(["xz", "--check=crc32"]);
  const gzip = await isoWith(["gzip", "-n9"]);
  const ask = (iso: string) =>
    initrdUnpacks.run(contextWith({ source: "tinycore", "tcl-iso-url": iso, lock: "/nowhere/lock" }));
  expect(await ask(xz)).toEqual({ status: "good", text: "xz.iso: xz unpacks it" });
  expect(await ask(pathToFileURL(gzip).href)).toMatchObject({
    text: "gzip.iso: no other program unpacks it",
  });
  expect(await ask(path.join(root, "none.iso"))).toMatchObject({
    text: expect.stringContaining("not here yet"),
  });

  const sha256 = "c".repeat(64);
  const url = "http://127.0.0.1:9/Core-current.iso";
  const line = { url, sha256, size: 1 };
  put(root, "lock.json", JSON.stringify({ version: 1, sources: { tinycore: { "Core-current.iso": line } } }));
  vi.stubEnv("PATH", "/nowhere");
  try {
    const pinned = contextWith({
      source: "tinycore",
      lock: path.join(root, "lock.json"),
      files: { [sha256]: xz },
    });
    expect(await initrdUnpacks.run(pinned)).toMatchObject({
      status: "missing",
      text: "Core-current.iso has an initrd that xz unpacks, which is not installed",
      hint: expect.stringContaining("apt-get install xz-utils"),
    });
    expect(await ask(gzip)).toMatchObject({ status: "good" });
  } finally {
    vi.unstubAllEnvs();
  }
});
