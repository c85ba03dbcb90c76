/** The action that a result is stored for: REAPI's `Action`, `Command` and input root of a task's run. */
import { create, fromBinary } from "@bufbuild/protobuf";
import type { Digest, Part, ResultKey } from "../engine/index.ts";
import { type Blob, blobOf, blobReference, digestMessage, messageBlob } from "./message.ts";
import { ActionSchema, CommandSchema, DirectorySchema, PlatformSchema } from "./reapi_pb.ts";

/** The engine that runs the tasks, as the first argument of each command. */
const engine = "razor-mk";

/** The only file of an input root: the parts of the fingerprint as JSON, an array of pairs. */
const partsFile = "fingerprint.json";

interface EncodedAction {
  /** The serialized `Action`: its digest is the key. */
  readonly action: Blob;
  /** What the action refers to. */
  readonly blobs: readonly Blob[];
}

/**
 * The action of a key. The same parts give the same bytes on every machine: the parts contain no absolute path, user or time. The
 * command and the platform repeat what other tools of the protocol show; the input root contains all parts.
 */
export function encodeAction({ task, variant, parts }: ResultKey): EncodedAction {
  const named = (kind: string): readonly { readonly name: string; readonly value: string }[] =>
    parts
      .filter(([label]) => label.startsWith(`${kind} `))
      .map(([label, value]) => ({ name: label.slice(kind.length + 1), value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  const platform = create(PlatformSchema, {
    properties: named("tool").map(({ name, value }) => ({ name: `tool ${name}`, value })),
  });
  const command = messageBlob(
    CommandSchema,
    create(CommandSchema, {
      arguments: [engine, task, variant],
      environmentVariables: [...named("env")],
      platform,
      outputPaths: named("output").map(({ name }) => name),
    }),
  );
  const fingerprint = blobOf(Buffer.from(`${JSON.stringify(parts)}\n`));
  const root = messageBlob(
    DirectorySchema,
    create(DirectorySchema, { files: [{ name: partsFile, digest: digestMessage(fingerprint) }] }),
  );
  const action = messageBlob(
    ActionSchema,
    create(ActionSchema, {
      commandDigest: digestMessage(command),
      inputRootDigest: digestMessage(root),
      platform,
    }),
  );
  return { action, blobs: [fingerprint, root, command] };
}

/** Reads a content of the cache by its digest; undefined where it is not there. */
type ReadContent = (digest: Digest) => Promise<Uint8Array | undefined>;

/**
 * The parts of the fingerprint that an action was made of, from the contents beside it. Undefined where they are not there, or
 * are no action of this program: others wrote them.
 */
export async function readParts(action: Digest, read: ReadContent): Promise<readonly Part[] | undefined> {
  try {
    const actionBytes = await read(action);
    const root = blobReference(actionBytes && fromBinary(ActionSchema, actionBytes).inputRootDigest);
    const rootBytes = root && (await read(root.digest));
    const files = rootBytes === undefined ? [] : fromBinary(DirectorySchema, rootBytes).files;
    const file = blobReference(files.find(({ name }) => name === partsFile)?.digest);
    const bytes = file && (await read(file.digest));
    const parts: unknown = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
    return Array.isArray(parts) && parts.every(isPart) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function isPart(part: unknown): part is Part {
  return Array.isArray(part) && part.length === 2 && part.every((text) => typeof text === "string");
}
