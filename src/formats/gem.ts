/**
 * Reads the specification in a gem, and the name, version and platform in it.
 *
 * Format: RubyGems, `Gem::Package`: a tar of `metadata.gz` (YAML of a `Gem::Specification`), `data.tar.gz` and checksums.
 */
import { gunzipSync } from "node:zlib";
import { messageOf, UserError } from "../errors/index.ts";
import { printName } from "./names.ts";
import { listTarball, readTarballFiles } from "./tarball-listing.ts";

export interface GemIdentity {
  readonly name: string;
  readonly version: string;
  /** `ruby` for a gem without machine code. */
  readonly platform: string;
}

/** Specifications have some kilobytes; long lists of files make a few of them hundreds. */
const largestSpecification = 16 * 1024 * 1024;

/**
 * Reads the specification in the gem at `path` (absolute); `label` is how errors name it. Nothing is unpacked to the disk.
 * @throws UserError `bad-gem` (no gem, damaged, no specification)
 */
export async function readGemIdentity(path: string, label = path): Promise<GemIdentity> {
  return await parseGemMetadata(await readGemMetadata(path, label), label);
}

/** The YAML of the specification in the gem at `path` (absolute). @throws UserError `bad-gem` */
export async function readGemMetadata(path: string, label: string): Promise<string> {
  const packed = await readSpecification(path, label);
  try {
    return gunzipSync(packed, { maxOutputLength: largestSpecification }).toString("utf8");
  } catch (cause) {
    throw refuseGem(messageOf(cause), label, cause);
  }
}

/** What the YAML of a specification says of its gem. @throws UserError `bad-gem` */
export async function parseGemMetadata(text: string, label: string): Promise<GemIdentity> {
  try {
    const { parseDocument } = await import("yaml");
    // Ruby's tags and invalid YAML of old Rubies are ignored: only these three values are needed.
    const document = parseDocument(text, {
      logLevel: "silent",
      version: "1.1",
      schema: "failsafe",
    });
    const twice = document.errors.find(({ code }) => code === "DUPLICATE_KEY");
    if (twice !== undefined) throw new Error("its specification has a duplicate key", { cause: twice });
    const at = (...keys: readonly string[]) => {
      const value: unknown = document.getIn(keys);
      return typeof value === "string" ? value : undefined;
    };
    const name = at("name");
    const version = at("version", "version") ?? at("version");
    if (name === undefined || version === undefined) throw new Error("its specification has no name");
    return { name, version, platform: at("platform") ?? "ruby" };
  } catch (cause) {
    throw refuseGem(messageOf(cause), label, cause);
  }
}

async function readSpecification(path: string, label: string): Promise<Buffer> {
  const limits = { maxBytes: Number.MAX_SAFE_INTEGER };
  let names: readonly string[];
  let found: Buffer | undefined;
  try {
    const entries = await listTarball(path, limits);
    names = entries.map((entry) => entry.path);
    const [size = 0] = entries.filter((entry) => entry.path === "metadata.gz").map((entry) => entry.size);
    if (size > largestSpecification) throw new Error(`its specification has ${size} bytes`);
    found = (await readTarballFiles(path, (entry) => entry.path === "metadata.gz", limits)).get(
      "metadata.gz",
    );
  } catch (cause) {
    throw refuseGem(messageOf(cause), label, cause);
  }
  if (new Set(names).size < names.length) throw refuseGem("it contains two members of the same name", label);
  if (found === undefined) throw refuseGem("it has no metadata.gz", label);
  return found;
}

/** The error for a gem that cannot be used. */
export function refuseGem(why: string, label: string, cause?: unknown): UserError {
  return new UserError(`the gem cannot be read: ${why}`, {
    code: "bad-gem",
    where: printName(label),
    hint: "use another gem server: the file is damaged or not a gem",
    cause,
  });
}
