/** The real pipeline with its steps as jobs of a cluster: the same image as on one machine. */
import { createHash } from "node:crypto";
import { cp, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { type CacheServer, startCacheServer } from "../remote/cache-server.ts";
import { Cluster } from "../support/cluster.ts";
import { usesPrograms } from "../support/programs.ts";
import { addLocalSource, sampleMirror } from "./local-source.ts";
import {
  commandEnvironment,
  makeDirectory,
  makeWorkspace,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("xorriso");

let directory = "";
let workspace: Workspace;
let mirror: Server;
let cache: CacheServer;
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
  cache = await startCacheServer();
  const built = await openWorkspace();
  await built.build(["fetch-iso", "--source", "sample"]);
  directory = await makeDirectory("cluster");
  const files = path.join(directory, "mirror");
  await cp(sampleMirror(built), files, { recursive: true });
  mirror = await serveDirectory(files);
  workspace = await makeWorkspace(directory, "the workspace");
  await addLocalSource(workspace, mirror.url, files);
});

afterAll(async () => {
  await cluster?.stop();
  await cache?.close();
  await mirror?.close();
  await removeDirectory(directory);
});

it("makes the ISO that a local build makes, with every step on the cluster that may run there", async () => {
  const words = ["iso", "--prod", "--iso-version", version, "--source", "local", "--lock", "good.lock.json"];
  const file = workspace.path(`build-files/rz_mk_prod-image.${version}.iso`);
  const digest = async (): Promise<string> =>
    createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  await workspace.build(words);
  const here = await digest();
  await rm(file);
  await workspace.build(["clean", "--all"]);
  const remote = ["--executor", "slurm", "--remote-cache", cache.url, "--remote-upload"];
  const { stderr } = await workspace.build([...words, ...remote], { env: commandEnvironment(cluster.env) });
  for (const step of ["payload", "image-contents", "extract-util-linux"])
    expect(stderr).toContain(`${step}: rebuilt on ${cluster.node}`);
  expect(await digest()).toBe(here);
  expect(cluster.jobs()).toEqual([]);
});
