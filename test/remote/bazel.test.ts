/** Bazel as another client of the same cache: what it stores is read here, what is stored here is taken by it. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listingOf } from "../../src/engine/index.ts";
import { decodeResult, encodeResult, parseResult, treesOf } from "../../src/remote/action-result.ts";
import { ActionResultSchema, ActionSchema, CommandSchema } from "../../src/remote/reapi_pb.ts";
import { usesPrograms } from "../support/programs.ts";
import { digestOf, useRig } from "./rig.ts";

usesPrograms("bazel");

const rig = useRig();
/** Without a blank in its name, which Bazel refuses. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "bazel-"));
});
afterEach(() => {
  // Bazel takes the right to write from its outputs.
  spawnSync("chmod", ["-R", "u+w", directory]);
  rmSync(directory, { recursive: true, force: true });
});

/** A rule that needs nothing of the network: a file, and a directory with an executable and a link. */
const rules = `genrule(
  name = "made",
  srcs = ["in.txt"],
  outs = ["out.txt", "tree"],
  cmd = "cat $(location in.txt) > $(location out.txt); mkdir -p $(location tree)/bin; " +
        "printf run > $(location tree)/bin/run; chmod 755 $(location tree)/bin/run; echo printed",
)
`;

/** Builds with Bazel in a new directory without results of earlier builds; returns where its outputs are. */
async function bazel(name: string): Promise<{ readonly said: string; readonly made: string }> {
  const root = path.join(directory, name);
  const workspace = path.join(root, "workspace");
  mkdirSync(workspace, { recursive: true });
  writeFileSync(path.join(workspace, "WORKSPACE"), "");
  writeFileSync(path.join(workspace, "BUILD"), rules);
  writeFileSync(path.join(workspace, "in.txt"), "hello\n");
  const output = path.join(root, "output");
  const { all_proxy, http_proxy, https_proxy, ...env } = process.env;
  const child = spawn(
    "bazel",
    [
      ...["--batch", "--nohome_rc", `--output_user_root=${output}`, "build"],
      ...[`--remote_cache=${rig().server.url}`, "--spawn_strategy=local", "--color=no", "//:made"],
    ],
    { cwd: workspace, env: { ...env, HOME: root }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      said += chunk;
    });
  await new Promise((resolve) => child.once("close", resolve));
  expect(said).toContain("Build completed successfully");
  return { said, made: path.join(workspace, "bazel-bin") };
}

const blob = (digest: string | undefined): Buffer => {
  const bytes = rig().server.blobs.get(`cas/${digest}`);
  if (bytes === undefined) throw new Error(`no content ${digest}`);
  return bytes;
};

it("reads and is read by it", async () => {
  const first = await bazel("first");
  expect(first.said).toMatch(/1 local/);
  const places = [...rig().server.blobs.keys()].filter((key) => key.startsWith("ac/"));
  expect(places).toHaveLength(1);
  const [place = ""] = places;

  // Its action, by the same rule as ours: the key is the digest of a content that refers to a command.
  const action = blob(place.slice("ac/".length));
  expect(createHash("sha256").update(action).digest("hex")).toBe(place.slice("ac/".length));
  const command = fromBinary(CommandSchema, blob(fromBinary(ActionSchema, action).commandDigest?.hash));
  expect(command.arguments.join(" ")).toContain("printf run");

  // Its result.
  const message = parseResult(rig().server.blobs.get(place) ?? Buffer.of());
  if (message === undefined) throw new Error("not read");
  const [file] = message.outputFiles;
  const [directory] = message.outputDirectories;
  expect([file?.path, directory?.path]).toEqual([
    expect.stringMatching(/^bazel-out\/.*\/out\.txt$/),
    expect.stringMatching(/^bazel-out\/.*\/tree$/),
  ]);
  const trees = new Map([...(treesOf(message) ?? [])].map(([slot, tree]) => [slot, blob(tree.digest)]));
  const result = decodeResult(message, trees);
  const entry = (text: string, executable: boolean) =>
    ({ type: "file", executable, digest: digestOf(text), size: text.length }) as const;
  expect(result?.log).toEqual({ digest: digestOf("printed\n"), size: 8 });
  expect(result?.outputs.get(`${file?.path}`)).toMatchObject({ digest: digestOf("hello\n"), size: 6 });
  expect(result?.outputs.get(`${directory?.path}/bin/run`)).toEqual(entry("run", true));

  // A result of ours in its place, with other contents: Bazel runs nothing, and has what we stored.
  const ours = encodeResult({
    outputs: listingOf([
      ["file", entry("from us\n", true)],
      ["tree", { type: "directory" }],
      ["tree/empty", { type: "directory" }],
      ["tree/bin", { type: "directory" }],
      ["tree/bin/walk", entry("walk", false)],
    ]),
    log: { digest: digestOf("said by us\n"), size: 11 },
    seconds: 1,
    maker: "a machine",
  });
  const copy = fromBinary(ActionResultSchema, ours.result.bytes);
  // Bazel's outputs have other paths than ours, whose first name is all there is.
  for (const one of copy.outputFiles) one.path = file?.path ?? "";
  for (const one of copy.outputDirectories) one.path = directory?.path ?? "";
  rig().server.blobs.set(place, Buffer.from(toBinary(ActionResultSchema, copy)));
  for (const text of ["from us\n", "walk", "said by us\n"])
    rig().server.blobs.set(`cas/${digestOf(text)}`, Buffer.from(text));
  for (const tree of ours.trees) rig().server.blobs.set(`cas/${tree.digest}`, Buffer.from(tree.bytes));

  const second = await bazel("second");
  expect(second.said).toMatch(/1 remote cache hit/);
  expect(second.said).toContain("said by us");
  expect(readFileSync(path.join(second.made, "out.txt"), "utf8")).toBe("from us\n");
  expect(readFileSync(path.join(second.made, "tree/bin/walk"), "utf8")).toBe("walk");
  // It leaves out directories without files.
  expect(readdirSync(path.join(second.made, "tree"))).toEqual(["bin"]);
});
