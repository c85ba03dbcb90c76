/** Publishes a release: digests, a signature, what changed, copied beside the old release and then switched to. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Command, type CommandContext, command } from "../src/engine/index.ts";
import { systemReason, UsageError, UserError } from "../src/errors/index.ts";
import {
  checksumsFile,
  type Destination,
  describeDestination,
  descriptionFiles,
  formatChecksums,
  Publication,
  type Published,
  parseDestination,
  parseSigningKey,
  type ReleaseContext,
  type SigningKey,
  sha256Of,
  sign,
  signatureEnding,
  verifyRelease,
} from "../src/release/index.ts";
import { billEndings, billOfMaterials, billPath } from "./bill-of-materials.ts";
import { imageFile } from "./image/image-names.ts";
import { releaseNotes, releaseRecord } from "./image/release-notes.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";
import { passwordFd, publicKey, signing, verify } from "./settings/store-options.ts";
import { to } from "./settings/to-option.ts";
import { lockFile } from "./source/source-options.ts";

/** A release before it is published. */
interface Prepared {
  readonly id: string;
  /** Absolute paths of its files, by name. */
  readonly files: ReadonlyMap<string, string>;
  readonly digests: ReadonlyMap<string, string>;
  readonly key: SigningKey | undefined;
}

/** What a publication without named files publishes. */
interface PublishedImage {
  /** For the description and messages: `the ISO`. */
  readonly what: string;
  /** Brings the files up to date; absolute paths. */
  readonly build: (build: CommandContext["build"]) => Promise<readonly string[]>;
  /** The same files, relative to the workspace. */
  readonly files: (value: CommandContext["value"]) => Promise<readonly string[]>;
}

export const store = publishing("store", {
  what: "the ISO with its SBOM",
  build: async (build) => {
    const { cyclonedx, spdx } = await build(billOfMaterials);
    return [(await build(rebuildIso)).iso, cyclonedx, spdx];
  },
  files: async (value) => {
    const iso = await value(imageFile);
    return [iso, ...Object.values(billEndings).map((ending) => billPath(iso, ending))];
  },
});

/** The command of this name that publishes an image's releases. */
export function publishing(name: string, image: PublishedImage): Command {
  return command({
    name,
    takes: "[FILE...]",
    offers: "files",
    description: `Publish a release: ${image.what}, or FILES, with digests, signature and changelog`,
    group: "release",
    params: { to, verify, signing, passwordFd, publicKey, isoVersion, epoch, lockFile },
    async run(context) {
      const { value, words, print, build } = context;
      if ((await value(verify)) !== "") return await verifyPublished(context);
      const destination = await destinationOf(context);
      const named = words.length > 0 ? words : await image.build(build);
      const release = await prepare(context, named);
      const publication = await Publication.open(destination, releaseContext(context), `store ${release.id}`);
      try {
        const published = await publication.read(release.id);
        const isThere = isPublished(release, published, destination);
        if (!isThere) await add(context, publication, release, published);
        const isCurrent = published.current === release.id;
        if (!isCurrent) await publication.switchTo(release.id);
        const done = isThere && isCurrent ? "is already published" : "is published";
        print(`${release.id} ${done} in ${describeDestination(destination)}/releases/${release.id}`);
      } finally {
        publication.close();
      }
    },
    async dryRun(context) {
      const { value, words, print, workspace } = context;
      if ((await value(verify)) !== "") return await verifyPublished(context);
      const destination = await destinationOf(context);
      const files = (await image.files(value)).map((name) => path.join(workspace, name));
      if (words.length === 0 && !files.every((file) => existsSync(file)))
        return print(`would build ${image.what}, and then publish it`);
      const release = await prepare(context, words.length > 0 ? words : files);
      const publication = await Publication.open(destination, releaseContext(context));
      try {
        const published = await publication.read(release.id);
        const where = `${describeDestination(destination)}/releases/${release.id}`;
        if (isPublished(release, published, destination)) {
          const next = published.current === release.id ? "nothing to do" : "would switch current to it";
          return print(`${release.id} is already published in ${where}; ${next}`);
        }
        print(`would publish ${release.id} in ${where}`);
        for (const [name, digest] of release.digests) print(`  ${digest}  ${name}`);
        if (release.key !== undefined)
          print(`would sign ${checksumsFile} with ${release.key.tool}'s key ${release.key.key}`);
        const { CHANGELOG = "" } = await describe(context, release, published);
        for (const line of CHANGELOG.trimEnd().split("\n")) print(`  ${line}`.trimEnd());
        print(`would switch current from ${published.current ?? "nothing"} to ${release.id}`);
      } finally {
        publication.close();
      }
    },
  });
}

function releaseContext({ env, signal, note }: CommandContext): ReleaseContext {
  return { env, signal, note };
}

async function destinationOf({ value, cwd }: CommandContext): Promise<Destination> {
  const text = (await value(to)) ?? "";
  if (text !== "") return parseDestination(text, (directory) => path.resolve(cwd, directory));
  throw new UsageError("`store` needs a destination", {
    code: "store-usage",
    hint: "usage: task store --to DEST [FILE...], or task store --verify DEST",
  });
}

async function prepare({ value, cwd }: CommandContext, named: readonly string[]): Promise<Prepared> {
  const files = new Map<string, string>();
  const reserved = [...descriptionFiles, checksumsFile].map(String);
  for (const word of named) {
    const file = path.resolve(cwd, word);
    const name = path.basename(file);
    const status = await stat(file).catch((cause: unknown) => {
      throw new UserError(`the file cannot be read: ${systemReason(cause)}`, {
        code: "unreadable-file",
        where: file,
        hint: "check the name and the permissions of the file",
        cause,
      });
    });
    const isReserved = reserved.some((one) => name === one || name.startsWith(`${checksumsFile}.`));
    if (!status.isFile() || isReserved || files.has(name) || /[\n\r\\]/.test(name)) {
      throw new UserError(`"${name}" cannot be a file of a release`, {
        code: "release-file",
        where: file,
        hint: `name regular files with different names; ${reserved.join(", ")} are made by store`,
      });
    }
    files.set(name, file);
  }
  const digests = new Map<string, string>();
  for (const [name, file] of files) digests.set(name, await sha256Of(file));
  const text = await value(signing);
  const key = text === "" ? undefined : parseSigningKey(text, (file) => path.resolve(cwd, file));
  return { id: await value(isoVersion), files, digests, key };
}

/** Whether the release is there with the same content; throws a `UserError` where it is there with another. */
function isPublished(
  { id, digests, key }: Prepared,
  published: Published,
  destination: Destination,
): boolean {
  if (published.digests === undefined) return false;
  const there = [...published.digests].filter(([name]) => !descriptionFiles.some((one) => one === name));
  const isSame = there.length === digests.size && there.every(([name, sum]) => digests.get(name) === sum);
  const lacksSignature =
    key !== undefined && !published.names.includes(`${checksumsFile}${signatureEnding[key.tool]}`);
  if (isSame && !lacksSignature) return true;
  const differs = isSame ? `without a ${key?.tool} signature` : "with other content";
  throw new UserError(`release ${id} is published already, ${differs}`, {
    code: "release-exists",
    where: `${describeDestination(destination)}/releases/${id}`,
    hint: "raise the version, for example by task version --bump patch",
  });
}

async function add(
  context: CommandContext,
  publication: Publication,
  release: Prepared,
  published: Published,
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "razor-mk-store-"));
  try {
    const digests = new Map(release.digests);
    for (const [name, file] of release.files) await symlink(file, path.join(directory, name));
    for (const [name, text] of Object.entries(await describe(context, release, published))) {
      await writeFile(path.join(directory, name), text);
      digests.set(name, await sha256Of(path.join(directory, name)));
    }
    await writeFile(path.join(directory, checksumsFile), formatChecksums(digests));
    if (release.key !== undefined) {
      const password = await passwordGiven(context);
      await sign(releaseContext(context), release.key, directory, checksumsFile, password);
    }
    await publication.add(release.id, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The texts of the files that describe a release, by name. */
async function describe(
  { value, workspace, env, variant, note }: CommandContext,
  { id }: Prepared,
  published: Published,
): Promise<Readonly<Record<string, string>>> {
  const host = { root: workspace, env, variant, value, note, dependsOn: () => {} };
  const record = await releaseRecord(host, { version: id, variant, epoch: Number(await value(epoch)) });
  const file = path.resolve(workspace, await value(lockFile));
  const lock = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  const { texts } = published;
  const last = { record: texts.get("release.json"), lock: texts.get("sources.lock.json") };
  const notes = await releaseNotes(
    host,
    id,
    { record, lock },
    published.current === undefined ? undefined : last,
  );
  return {
    CHANGELOG: notes,
    "release.json": record,
    ...(lock === undefined ? {} : { "sources.lock.json": lock }),
  };
}

async function passwordGiven({ value }: CommandContext): Promise<string | undefined> {
  const descriptor = await value(passwordFd);
  if (descriptor === "") return undefined;
  try {
    return readFileSync(Number(descriptor), "utf8").replace(/\r?\n[\s\S]*$/, "");
  } catch (cause) {
    throw new UsageError(
      `the password cannot be read from file descriptor ${descriptor}: ${systemReason(cause)}`,
      {
        code: "signing-key",
        hint: `open it for the command: --password-fd ${descriptor} ${descriptor}<FILE`,
        cause,
      },
    );
  }
}

async function verifyPublished(context: CommandContext): Promise<void> {
  const { value, cwd, print } = context;
  const destination = parseDestination(await value(verify), (directory) => path.resolve(cwd, directory));
  const given = await value(publicKey);
  const key = given === "" ? undefined : path.resolve(cwd, given);
  const scratch = await mkdtemp(path.join(tmpdir(), "razor-mk-store-"));
  try {
    const { files, signature } = await verifyRelease(releaseContext(context), destination, key, scratch);
    const signed = {
      none: "it is not signed",
      unchecked: "its signature was not checked: --public-key FILE",
      good: "its signature is good",
    }[signature];
    print(`the release in ${describeDestination(destination)} is whole, ${files.length} files; ${signed}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
