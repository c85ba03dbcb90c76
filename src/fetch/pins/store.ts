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
  /** Brings bytes of this size from a cache that machines share; false where they cannot be had there. */
  retrieve?(sha256: string, size: number): Promise<boolean>;
  /** Offers bytes that are there, and were just downloaded, to other machines. Returns at once. */
  offer?(sha256: string, size: number): void;
}
