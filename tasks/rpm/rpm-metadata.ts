/** The metadata of the repositories: pinned by the digest of each index, verified, and laid out for dnf. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, files, out, task, when } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { type Artifact, joinLocation, type LockEntry, type LockLine } from "../../src/fetch/index.ts";
import { shownPath } from "../settings/shown-path.ts";
import { source } from "../source/source-options.ts";
import { formatRepomd, type MetadataFile, parseRepomd } from "./repomd.ts";
import { accessEnv, accessParams, rpmLockInput, sampleName, withRepositories } from "./repository-access.ts";
import { parseRepositories, type Repository } from "./repository-list.ts";
import { keysDirectory, repositoriesFile } from "./rpm-files.ts";
import { sampleRpm } from "./sample-rpm.ts";
import { checkMetadataSignature } from "./signatures.ts";

/** A repository as later steps see it. */
export interface OpenedRepository extends Pick<Repository, "id" | "gpgcheck" | "keys" | "where"> {
  /** Undefined for the sample, whose directory is an output. */
  readonly url?: string;
}

/** Whether a name in the lock is that of metadata: `ID.repomd.xml`, `ID.primary.xml.gz`. */
export function isMetadata(name: string): boolean {
  return !name.endsWith(".rpm");
}

export const rpmMetadata = task({
  name: "rpm-metadata",
  description: "Fetch and verify the metadata of the repositories",
  group: "fetch",
  variants: "shared",
  needs: { sample: when(source, sampleName, sampleRpm) },
  inputs: {
    list: file(repositoriesFile, { optional: true, byLine: true }),
    keys: files("**", { root: keysDirectory, optional: true }),
    lock: rpmLockInput(isMetadata),
  },
  params: accessParams,
  passEnv: accessEnv,
  pool: "network",
  optionalTools: ["gpg"],
  outputs: {
    /** ID/repodata/, as dnf reads it. */
    repositories: out.directory("repositories"),
    /** `OpenedRepository[]`, in the order of the list. */
    index: out.file("index.json"),
  },
  async run(context) {
    const { needs, inputs, params, outputs } = context;
    const label = shownPath(inputs.list);
    const sample = needs.sample?.repository;
    const repositories = sample === undefined ? await listed(inputs.list, label) : [sampleRepository(sample)];
    const pins = new Set<string>();
    await withRepositories({ ...context, lock: inputs.lock }, async (access) => {
      for (const repository of repositories) {
        const index = await fetchIndex(repository, access.fetch, pins);
        const at = (line: LockEntry): string => context.blobs.pathOf(line.sha256);
        if (index.signature !== undefined) {
          const keys = repository.keys.map((name) => path.join(inputs.keys.root, name));
          refuseMissingKeys(repository, inputs.keys.paths);
          const scratch = path.join(context.scratch, repository.id);
          await mkdir(scratch);
          const found = { file: at(index.repomd), signature: at(index.signature), keys };
          await checkMetadataSignature(context.$, found, scratch, joinLocation(repository.url, repomdPath));
        }
        const text = await readFile(at(index.repomd), "utf8");
        const metadata = parseRepomd(text, joinLocation(repository.url, repomdPath));
        const directory = path.join(outputs.repositories, repository.id);
        await fetchMetadata(repository, metadata, access.fetch, pins, async (line, href) => {
          await mkdir(path.dirname(path.join(directory, href)), { recursive: true });
          await context.blobs.copyOut(line.sha256, path.join(directory, href));
        });
        await mkdir(path.join(directory, "repodata"), { recursive: true });
        // dnf would ask for whatever else the index names.
        await writeFile(path.join(directory, repomdPath), formatRepomd(metadata, "0"));
      }
      access.keepOnly(pins, isMetadata);
    });
    const opened: readonly OpenedRepository[] = repositories.map(({ id, url, gpgcheck, keys, where }) => ({
      ...{ id, gpgcheck, keys, where },
      ...(sample === undefined ? { url } : {}),
    }));
    await writeFile(outputs.index, `${JSON.stringify(opened, undefined, 2)}\n`);
    if (params.offline) context.log("offline: the pinned metadata was used");
  },
});

const repomdPath = "repodata/repomd.xml";

type Fetch = (plan: readonly Artifact[]) => Promise<ReadonlyMap<string, LockLine>>;

async function listed(file: string, label: string): Promise<readonly Repository[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const repositories = parseRepositories(text, label);
  if (repositories.length > 0) return repositories;
  throw new UserError("the project lists no repository", {
    code: "repository-list",
    where: label,
    hint: "name one in lists/repositories.yaml, or try the sample: --source sample-rpm",
  });
}

/** Made on this machine: nothing in it has to be trusted. */
function sampleRepository(directory: string): Repository {
  return {
    id: "sample",
    url: directory,
    gpgcheck: false,
    signedMetadata: false,
    keys: [],
    where: "--source sample-rpm",
  };
}

async function fetchIndex({ id, url, signedMetadata, where }: Repository, fetch: Fetch, pins: Set<string>) {
  const index: Artifact = {
    name: `${id}.repomd.xml`,
    url: joinLocation(url, repomdPath),
    kind: "text",
    where,
  };
  const signature: Artifact = { ...index, name: `${index.name}.asc`, url: `${index.url}.asc` };
  const lines = await fetch(signedMetadata ? [index, signature] : [index]);
  for (const name of lines.keys()) pins.add(name);
  const entry = (name: string): LockEntry => {
    const line = lines.get(name);
    if (line !== undefined && !("absent" in line)) return line;
    throw new Error(`${name} was not fetched`);
  };
  return { repomd: entry(index.name), signature: signedMetadata ? entry(signature.name) : undefined };
}

async function fetchMetadata(
  { id, url, where }: Repository,
  metadata: readonly MetadataFile[],
  fetch: Fetch,
  pins: Set<string>,
  place: (line: LockEntry, href: string) => Promise<void>,
): Promise<void> {
  const nameOf = ({ type, href }: MetadataFile): string =>
    `${id}.${type}${/(\.[a-z]+){1,2}$/.exec(path.posix.basename(href))?.[0] ?? ""}`;
  const lines = await fetch(
    metadata.map((one) => ({
      ...{ name: nameOf(one), url: joinLocation(url, one.href), kind: "any" as const, where },
      sha256: one.sha256,
      ...(one.size === undefined ? {} : { size: one.size }),
    })),
  );
  for (const one of metadata) {
    const line = lines.get(nameOf(one));
    pins.add(nameOf(one));
    if (line !== undefined && !("absent" in line) && line.sha256 === one.sha256) {
      await place(line, one.href);
      continue;
    }
    throw new UserError(`the pinned ${one.type} metadata does not belong to the pinned index`, {
      code: "repository-metadata",
      where,
      hint: "pin both again: npx task update",
    });
  }
}

function refuseMissingKeys({ keys, where }: Repository, present: readonly string[]): void {
  const missing = keys.filter((name) => !present.includes(name));
  if (missing.length === 0) return;
  throw new UserError(`there is no key ${missing.join(", ")} in ${keysDirectory}/`, {
    code: "repository-list",
    where,
    hint: `put the repository's public keys into ${keysDirectory}/, and their names into keys`,
  });
}
