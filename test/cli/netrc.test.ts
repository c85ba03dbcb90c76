/** Credentials in .netrc: the ones that curl would send. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { credentialsFor } from "../../src/cli/options/netrc.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("curl");

const files: Readonly<Record<string, string>> = {
  "on one line": "machine 127.0.0.1 login ci password hunter2\n",
  "on several lines, after another machine":
    "machine example.com\n  login eve\n  password wrong\nmachine 127.0.0.1\n\tlogin ci\n\tpassword hunter2\nmachine x login y password z\n",
  "with a comment and a macro":
    "# machine 127.0.0.1 login no password no\nmachine 127.0.0.1 login ci password hunter2\nmacdef init\ncd /pub\nmachine 127.0.0.1\n\n",
  "of another host": "machine example.com login ci password hunter2\n",
  "where login is a password":
    "machine example.com login machine password 127.0.0.1\nmachine 127.0.0.1 login ci password login\n",
  "of the first entry of two":
    "machine 127.0.0.1 login ci password one\nmachine 127.0.0.1 login ci password two\n",
};

/** The credentials that curl sends with this file. */
async function sentByCurl(netrc: string): Promise<string | undefined> {
  const directory = mkdtempSync(path.join(tmpdir(), "netrc "));
  const server = createServer((request, response) => {
    response.end(request.headers.authorization ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const file = path.join(directory, "netrc");
    writeFileSync(file, netrc, { mode: 0o600 });
    const { port } = server.address() as AddressInfo;
    const curl = spawn("curl", ["-s", "--noproxy", "*", "--netrc-file", file, `http://127.0.0.1:${port}/`]);
    let text = "";
    for await (const chunk of curl.stdout) text += chunk;
    return text === "" ? undefined : Buffer.from(text.replace(/^Basic /, ""), "base64").toString();
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}

describe("credentials in .netrc", () => {
  it.each(Object.entries(files))("%s are those that curl sends", async (_what, text) => {
    const found = credentialsFor("127.0.0.1", text);
    expect(found && `${found.user}:${found.password}`).toBe(await sentByCurl(text));
  });

  it("may stand in quotes, with escapes", () => {
    const text = 'machine host login "c i" password "a\\"b\\\\c"';
    expect(credentialsFor("HOST", text)).toEqual({ user: "c i", password: 'a"b\\c' });
  });

  it("of the default entry are not sent to a server that a Taskfile names", () => {
    expect(credentialsFor("host", "default login ci password hunter2")).toBeUndefined();
  });
});
