/** What a tarball holds, and single small files of it, without unpacking. */
import type { UnpackLimits } from "./limits.ts";
import { visitTarball } from "./tarball-entries.ts";
import { describeEntry, type TarballEntry } from "./tarball-entry.ts";

/**
 * Every entry of the tarball at `path` (absolute), in its order; nothing is unpacked to disk. Unsafe names and bombs are refused,
 * the rest of the policy is `treeFromTarball`'s.
 * @throws UserError as `visitTarball`, `unsafe-name`, `unsupported-entry`
 */
export async function listTarball(path: string, limits: UnpackLimits = {}): Promise<readonly TarballEntry[]> {
  const entries: TarballEntry[] = [];
  await visitTarball(
    path,
    {
      enter: (entry, raw) => {
        entries.push(describeEntry(entry, path, raw));
      },
      take: () => {},
      flush: async () => {},
    },
    limits,
  );
  return entries;
}

/**
 * The bytes of the regular files that `wanted` says yes to, by path; it is asked about every entry, in their order. For a
 * few small files of a tarball that may be large.
 * @throws UserError as `listTarball`
 */
export async function readTarballFiles(
  path: string,
  wanted: (entry: TarballEntry) => boolean,
  limits: UnpackLimits = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer[]>();
  let current: Buffer[] | undefined;
  await visitTarball(
    path,
    {
      enter: (entry, raw) => {
        const described = describeEntry(entry, path, raw);
        current = wanted(described) && described.type === "file" ? [] : undefined;
        if (current !== undefined) found.set(described.path, current);
      },
      take: (bytes) => {
        current?.push(Buffer.from(bytes));
      },
      flush: async () => {},
    },
    limits,
  );
  return new Map([...found].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
}
