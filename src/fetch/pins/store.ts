/**
 * What downloads need of a content store. It does not know what the bytes are, and never deletes any.
 */

export interface BlobStore {
  /** Whether these bytes (lower-case hexadecimal sha256) are there. */
  has(sha256: string): Promise<boolean>;
  /** The absolute path of bytes that are there. */
  pathOf(sha256: string): string;
  /** Takes over a file whose bytes were verified to have this digest; it is gone afterwards. */
  adopt(file: string, sha256: string): Promise<void>;
}
