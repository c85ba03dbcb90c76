import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

usesPrograms("openssl");

let shop: Workshop;
let server: Server;
let url: string;
beforeEach(async () => {
  shop = await openWorkshop();
  await shop.put("a", "plain");
  const [key, cert] = [path.join(shop.dir, "key.pem"), path.join(shop.dir, "cert.pem")];
  const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
  await promisify(execFile)("openssl", ["req", ...options, "-keyout", key, "-out", cert]);
  server = createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
    if (request.url === "/secure") response.end("secure");
    else response.writeHead(302, { location: `${shop.server.url}/a` }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await shop.close();
});

const read = (name: string) => shop.transport().read({ name, url: `${url}/${name}`, kind: "any" });

describe("over https", () => {
  it("a certificate that nobody vouches for is an error that says how to trust one's own", async () => {
    const error = await rejection(read("secure"));
    expect(error.code).toBe("tls");
    expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
    expect(shop.waits, "no second try").toEqual([]);
  });

  it("a redirect to http is refused", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    expect((await read("secure")).bytes.toString()).toBe("secure");
    const error = await rejection(read("a"));
    expect(error.code).toBe("redirect-refused");
    expect(error.message).toContain("drop encryption");
    expect(shop.server.log).toEqual([]);
  });
});
