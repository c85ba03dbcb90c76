/** A task's result as REAPI's `ActionResult`, and back. What comes back was written by others, so every field is checked. */
import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type BlobReference,
  type Digest,
  type ListedEntry,
  listingOf,
  type RemoteResult,
} from "../engine/index.ts";
import { type Blob, blobReference, digestMessage, messageBlob } from "./message.ts";
import { type ActionResult, ActionResultSchema } from "./reapi_pb.ts";
import { decodeTree, encodeTree, type TreeEntry } from "./tree.ts";

/** Maximum number of files, links and directories of one result. */
const mostEntries = 1_000_000;
/** Longest name of a maker that is shown, in characters. */
const longestMaker = 100;

interface EncodedResult {
  readonly result: Blob;
  /** The trees that it refers to. */
  readonly trees: readonly Blob[];
}

export function encodeResult({ outputs, joined, log, seconds, maker }: RemoteResult): EncodedResult {
  const parts = joined ?? new Map();
  const files: { path: string; digest: ReturnType<typeof digestMessage>; isExecutable: boolean }[] = [];
  const directories = new Map<string, TreeEntry[]>();
  for (const [name, entry] of outputs) {
    const [slot = "", ...rest] = name.split("/");
    if (rest.length > 0) directories.get(slot)?.push([rest.join("/"), entry]);
    else if (entry.type === "directory" || (entry.type === "file" && parts.has(entry.digest)))
      directories.set(slot, [["", entry]]);
    else if (entry.type === "file")
      files.push({ path: slot, digest: digestMessage(entry), isExecutable: entry.executable });
  }
  const trees = [...directories].map(([slot, entries]) => ({ slot, tree: encodeTree(entries, parts) }));
  const message = create(ActionResultSchema, {
    outputFiles: files,
    outputDirectories: trees.map(({ slot, tree }) => ({ path: slot, treeDigest: digestMessage(tree) })),
    ...(log === undefined ? {} : { stdoutDigest: digestMessage(log) }),
    executionMetadata: {
      worker: maker,
      executionStartTimestamp: timestampFromMs(0),
      executionCompletedTimestamp: timestampFromMs(Math.round(seconds * 1000)),
    },
  });
  return { result: messageBlob(ActionResultSchema, message), trees: trees.map(({ tree }) => tree) };
}

/** The message in bytes from a cache; undefined for what is none, and for that of a command that failed. */
export function parseResult(bytes: Uint8Array): ActionResult | undefined {
  try {
    const message = fromBinary(ActionResultSchema, bytes);
    return message.exitCode === 0 ? message : undefined;
  } catch {
    return undefined;
  }
}

/** The trees that a result refers to, by the directory; undefined where a digest is none. */
export function treesOf({ outputDirectories }: ActionResult): ReadonlyMap<string, BlobReference> | undefined {
  const trees = new Map<string, BlobReference>();
  for (const { path, treeDigest } of outputDirectories) {
    const tree = blobReference(treeDigest);
    if (tree === undefined) return undefined;
    trees.set(path, tree);
  }
  return trees;
}

/**
 * The result in a message, with the bytes of its trees by the directory; undefined where a part of it is missing, doubled or no
 * such thing. Whether the task can have made these outputs is for the engine to decide.
 */
export function decodeResult(
  message: ActionResult,
  trees: ReadonlyMap<string, Uint8Array>,
): RemoteResult | undefined {
  const entries: [string, ListedEntry][] = [];
  const joined = new Map<Digest, readonly BlobReference[]>();
  for (const { path, digest, isExecutable } of message.outputFiles) {
    const blob = blobReference(digest);
    if (blob === undefined) return undefined;
    entries.push([path, { type: "file", executable: isExecutable, ...blob }]);
  }
  for (const { path } of message.outputDirectories) {
    const bytes = trees.get(path);
    const tree = bytes === undefined ? undefined : decodeTree(bytes, mostEntries - entries.length);
    if (tree === undefined) return undefined;
    for (const [whole, parts] of tree.joined) joined.set(whole, parts);
    for (const [below, entry] of tree.entries)
      entries.push([below === "" ? path : `${path}/${below}`, entry]);
  }
  const outputs = listingOf(entries);
  // Links beside the outputs are none of a task's, and what is named twice is ambiguous.
  const links =
    message.outputSymlinks.length +
    message.outputFileSymlinks.length +
    message.outputDirectorySymlinks.length;
  if (links > 0 || outputs.size !== entries.length) return undefined;
  const log = blobReference(message.stdoutDigest);
  if (message.stdoutDigest !== undefined && log === undefined) return undefined;
  return {
    outputs,
    ...(joined.size === 0 ? {} : { joined }),
    ...(log === undefined ? {} : { log }),
    seconds: secondsOf(message),
    maker: message.executionMetadata?.worker.slice(0, longestMaker) ?? "",
  };
}

function secondsOf({ executionMetadata }: ActionResult): number {
  const { executionStartTimestamp: start, executionCompletedTimestamp: end } = executionMetadata ?? {};
  if (start === undefined || end === undefined) return 0;
  const seconds = (timestampMs(end) - timestampMs(start)) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}
