/** Encoding messages, and the names by which they are stored: the sha256 of their bytes. */
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type BlobReference, digestOfBytes, isDigest } from "../engine/index.ts";
import { type Digest, DigestSchema } from "./reapi_pb.ts";

/** A blob of which the bytes are at hand. */
export interface Blob extends BlobReference {
  readonly bytes: Uint8Array;
}

export function blobOf(bytes: Uint8Array): Blob {
  return { digest: digestOfBytes(bytes), size: bytes.length, bytes };
}

export function messageBlob<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Blob {
  return blobOf(toBinary(schema, message));
}

export function digestMessage({ digest, size }: BlobReference): Digest {
  return create(DigestSchema, { hash: digest, sizeBytes: BigInt(size) });
}

/** What a digest in a message refers to; undefined for one that is no sha256, or whose size no file has. */
export function blobReference(message: Digest | undefined): BlobReference | undefined {
  if (message === undefined || !isDigest(message.hash)) return undefined;
  const size = Number(message.sizeBytes);
  return size >= 0 && Number.isSafeInteger(size) ? { digest: message.hash, size } : undefined;
}
