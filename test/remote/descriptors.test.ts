/**
 * The messages, read and written by another program: BuildStream's descriptors of the Remote Execution API, which were generated
 * from the API's own .proto file.
 */
import { spawnSync } from "node:child_process";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { digestOfBytes, listingOf } from "../../src/engine/index.ts";
import { encodeAction } from "../../src/remote/action.ts";
import { encodeResult, parseResult } from "../../src/remote/action-result.ts";
import { ActionResultSchema } from "../../src/remote/reapi_pb.ts";
import { decodeTree } from "../../src/remote/tree.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("buildstream", "python3");

const module = "buildstream._protos.build.bazel.remote.execution.v2.remote_execution_pb2";

/** Runs Python with the descriptors as `api`; `messages` are bytes by name. Returns what it prints, from JSON. */
function python(code: string, messages: Readonly<Record<string, Uint8Array>> = {}): unknown {
  const input = Object.fromEntries(
    Object.entries(messages).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]),
  );
  const script = `import base64, hashlib, json, sys
import ${module} as api
from google.protobuf.json_format import MessageToDict
given = {name: base64.b64decode(text) for name, text in json.load(sys.stdin).items()}
def read(kind, name):
    message = getattr(api, kind)()
    message.ParseFromString(given[name])
    return message
def shown(message):
    return MessageToDict(message, preserving_proto_field_name=True)
${code}`;
  const { stdout, stderr, status } = spawnSync("python3", ["-c", script], {
    input: JSON.stringify(input),
    encoding: "utf8",
    // Debian's own packages, whatever Python is first in PATH.
    env: { ...process.env, PYTHONPATH: "/usr/lib/python3/dist-packages" },
  });
  expect({ stderr, status }).toMatchObject({ status: 0 });
  return JSON.parse(stdout);
}

const text = digestOfBytes("text");
const outputs = listingOf([
  ["image", { type: "file", executable: false, digest: text, size: 4 }],
  ["tree", { type: "directory" }],
  ["tree/bin", { type: "directory" }],
  ["tree/bin/run", { type: "file", executable: true, digest: text, size: 4 }],
  ["tree/link", { type: "link", target: "bin/run" }],
]);

it("are read by it as they are meant", () => {
  const { result, trees } = encodeResult({
    outputs,
    log: { digest: text, size: 4 },
    seconds: 2.5,
    maker: "a machine",
  });
  const [tree] = trees;
  const { action, blobs } = encodeAction({
    task: "iso",
    variant: "dev",
    parts: [
      ["env LANG", '"C"'],
      ["output image", "file build/image"],
    ],
  });
  const [fingerprint, root, command] = blobs;
  const seen = python(
    `result, tree = read("ActionResult", "result"), read("Tree", "tree")
[child] = tree.children
print(json.dumps({
  "result": shown(result), "tree": shown(tree), "action": shown(read("Action", "action")), "command": shown(read("Command", "command")),
  "root": shown(read("Directory", "root")),
  "child": hashlib.sha256(child.SerializeToString(deterministic=True)).hexdigest(),
  "again": result.SerializeToString(deterministic=True) == given["result"] and tree.SerializeToString(deterministic=True) == given["tree"],
}))`,
    {
      result: result.bytes,
      tree: tree?.bytes ?? Buffer.of(),
      action: action.bytes,
      command: command?.bytes ?? Buffer.of(),
      root: root?.bytes ?? Buffer.of(),
    },
  ) as Record<string, never>;
  const digest = { hash: text, size_bytes: "4" };
  expect(seen.result).toEqual({
    output_files: [{ path: "image", digest }],
    output_directories: [
      { path: "tree", tree_digest: { hash: tree?.digest, size_bytes: String(tree?.size) } },
    ],
    stdout_digest: digest,
    execution_metadata: {
      worker: "a machine",
      execution_start_timestamp: "1970-01-01T00:00:00Z",
      execution_completed_timestamp: "1970-01-01T00:00:02.500Z",
    },
  });
  expect(seen.tree).toMatchObject({
    root: {
      directories: [{ name: "bin", digest: { hash: seen.child } }],
      symlinks: [{ name: "link", target: "bin/run" }],
    },
    children: [{ files: [{ name: "run", digest, is_executable: true }] }],
  });
  expect(seen.action).toMatchObject({
    command_digest: { hash: command?.digest },
    input_root_digest: { hash: root?.digest },
  });
  expect(seen.command).toMatchObject({
    arguments: ["razor-mk", "iso", "dev"],
    environment_variables: [{ name: "LANG", value: '"C"' }],
  });
  expect(seen.root).toMatchObject({ files: [{ digest: { hash: fingerprint?.digest } }] });
  expect(seen.again).toBe(true);
});

it("that it wrote are read as they are meant", () => {
  const written = python(
    `child = api.Directory(files=[api.FileNode(name="run", digest=api.Digest(hash="${text}", size_bytes=4), is_executable=True)])
bytes_of = lambda message: message.SerializeToString(deterministic=True)
child_digest = api.Digest(hash=hashlib.sha256(bytes_of(child)).hexdigest(), size_bytes=len(bytes_of(child)))
tree = api.Tree(root=api.Directory(directories=[api.DirectoryNode(name="bin", digest=child_digest)],
                symlinks=[api.SymlinkNode(name="link", target="bin/run")]), children=[child])
result = api.ActionResult(exit_code=0, stderr_raw=b"unknown to us", output_files=[api.OutputFile(path="image", digest=api.Digest(hash="${text}", size_bytes=4))])
print(json.dumps({name: base64.b64encode(bytes_of(message)).decode() for name, message in {"tree": tree, "result": result}.items()}))`,
  ) as Record<string, string>;
  const order = ["", "link", "bin", "bin/run"];
  expect(decodeTree(Buffer.from(written.tree ?? "", "base64"), 100)?.entries).toEqual(
    [...outputs]
      .filter(([name]) => name.startsWith("tree"))
      .map(([name, entry]) => [name.slice("tree/".length), entry])
      .sort(([a], [b]) => order.indexOf(String(a)) - order.indexOf(String(b))),
  );
  expect(parseResult(Buffer.from(written.result ?? "", "base64"))?.outputFiles).toMatchObject([
    { path: "image", digest: { hash: text, sizeBytes: 4n } },
  ]);
});

it("of a command that failed are no result", () => {
  const failed = create(ActionResultSchema, { exitCode: 1 });
  expect(parseResult(toBinary(ActionResultSchema, failed))).toBeUndefined();
  expect(fromBinary(ActionResultSchema, toBinary(ActionResultSchema, failed)).exitCode).toBe(1);
});
