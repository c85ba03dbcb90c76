/** A build whose mirror is gone: what is pinned, and what other machines have made of it, comes from the shared cache. */
import { createHash } from "node:crypto";
import { cp, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { type CacheServer, startCacheServer } from "../remote/cache-server.ts";
import { usesPrograms } from "../support/programs.ts";
import { addLocalSource, sampleMirror } from "./local-source.ts";
import { makeDirectory, makeWorkspace, openWorkspace, removeDirectory, type Workspace } from "./workspace.ts";

usesPrograms("xorriso");

let directory = "";
let workspace: Workspace;
let server: Server;
let cache: CacheServer;
let made = "";

const iso = ["iso", "--prod", "--source", "local", "--lock", "good.lock.json"];
const isoDigest = async (): Promise<string> => {
  const names = await readdir(workspace.path("build-files"));
  const [name] = names.filter((one) => one.endsWith(".iso"));
  return createHash("sha256")
    .update(await readFile(workspace.path(`build-files/${name}`)))
    .digest("hex");
};

beforeAll(async () => {
  const built = await openWorkspace();
  await built.build(["fetch-iso", "--source", "sample"]);
  directory = await makeDirectory("dead mirror");
  const mirror = path.join(directory, "mirror");
  await cp(sampleMirror(built), mirror, { recursive: true });
  server = await serveDirectory(mirror);
  cache = await startCacheServer();
  workspace = await makeWorkspace(directory, "the workspace");
  await addLocalSource(workspace, server.url, mirror);
  // The machine whose mirror still answers, and that may write.
  await workspace.build([
    ...iso,
    "--remote-cache",
    cache.url,
    "--remote-upload",
    "--remote-upload-wait",
    "120",
  ]);
  made = await isoDigest();
  await server.close();
});

afterAll(async () => {
  await cache?.close();
  await removeDirectory(directory);
});

it("makes the same image from the results in the shared cache", async () => {
  await workspace.build(["clean", "--all"]);
  const { status, stderr } = await workspace.task([...iso, "--remote-cache", cache.url]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toMatch(/remote cache: \d+ results found, /);
  expect(await isoDigest()).toBe(made);
});

it("makes it offline of the pinned sources alone, and without the cache says what is missing", async () => {
  for (const key of [...cache.blobs.keys()]) if (key.startsWith("ac/")) cache.blobs.delete(key);
  await workspace.build(["clean", "--all"]);
  const without = await workspace.task([...iso, "--offline"]);
  expect(without.status).not.toBe(0);
  expect(without.stderr).toContain("[offline]");
  const { status, stderr } = await workspace.task([...iso, "--offline", "--remote-cache", cache.url]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toMatch(/remote cache: 0 results found, .*, \d+ pinned sources fetched/);
  expect(await isoDigest()).toBe(made);
});
