/** The tree: the listed packages and groups with all that they need, fetched, verified and indexed. */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, files, out, task, when } from "../../src/engine/index.ts";
import { type Artifact, joinLocation } from "../../src/fetch/index.ts";
import { epoch } from "../settings/image-options.ts";
import { ofPackage } from "../settings/package.ts";
import { signing } from "../settings/store-options.ts";
import { source } from "../source/source-options.ts";
import { installer, publicKeyFile } from "./installer.ts";
import { readTreePackages, type TreePackage, writeRepodata } from "./repodata.ts";
import { accessEnv, accessParams, rpmLockInput, sampleName, withRepositories } from "./repository-access.ts";
import { nevraOf, type ResolvedPackage, resolvePackages } from "./resolution.ts";
import { keysDirectory, listInputs } from "./rpm-files.ts";
import { isMetadata, type OpenedRepository, rpmMetadata } from "./rpm-metadata.ts";
import { openRpmKey, signFile, signingEnv } from "./rpm-signing.ts";
import { sampleRpm } from "./sample-rpm.ts";
import { checkPackageSignatures } from "./signatures.ts";
import { readWanted, type WantedPackage } from "./wanted-packages.ts";

/** Trees are for one architecture. */
export const treeArch = "x86_64";

/** The repository of the installer's package. */
const ownId = "installer";

export const revisor = task({
  name: "revisor",
  description: "Resolve, fetch and index the packages of the tree",
  group: "build",
  variants: "shared",
  needs: { metadata: rpmMetadata, installer, sample: when(source, sampleName, sampleRpm) },
  inputs: {
    ...listInputs,
    script: file(ofPackage("tasks/rpm/resolve.py")),
    keys: files("**", { root: keysDirectory, optional: true }),
    lock: rpmLockInput((name) => !isMetadata(name)),
  },
  params: { ...accessParams, epoch, signing },
  passEnv: [...accessEnv, ...signingEnv],
  pool: "network",
  tools: ["dnf", "createrepo_c"],
  optionalTools: ["gpg", "rpmkeys"],
  outputs: {
    /** Packages/, repodata/ and, if they are signed, the public key. */
    tree: out.directory("tree"),
    /** The packages' names with versions, one per line. */
    list: out.file("packages.txt"),
  },
  async run(context) {
    const { $, needs, inputs, params, outputs, scratch, memo, env, note } = context;
    const { opened, own, repositories } = await treeRepositories(needs);
    const wanted = [...(await readWanted(inputs)), ...own];
    const request = { $, script: inputs.script, scratch, arch: treeArch, repositories, wanted };
    const resolved = await resolvePackages(request);
    const packages = path.join(outputs.tree, "Packages");
    await mkdir(packages);
    const placed = new Map<string, string>();
    await withRepositories({ ...context, lock: inputs.lock }, async (access) => {
      const plan = planOf(resolved, wanted, opened, needs.sample?.repository);
      const lines = await access.fetch([...plan.values()]);
      for (const [one, artifact] of plan) {
        const line = lines.get(artifact.name);
        if (line === undefined || "absent" in line) continue;
        const target = path.join(packages, path.posix.basename(one.location));
        await context.blobs.copyOut(line.sha256, target);
        placed.set(nevraOf(one), target);
      }
      access.keepOnly(new Set([...plan.values()].map(({ name }) => name)), (name) => !isMetadata(name));
    });
    await checkSignatures(context, inputs.keys, resolved, opened, placed);
    for (const one of resolved.filter(({ repository }) => repository === ownId)) {
      const name = path.posix.basename(one.location);
      await copyFile(path.join(needs.installer.repository, "Packages", name), path.join(packages, name));
    }
    const tree = treePackages(resolved, packages);
    const target = path.join(outputs.tree, "repodata");
    await mkdir(target);
    const comps = await readFile(inputs.comps, "utf8");
    const mtime = Number(params.epoch);
    await writeRepodata({ $, memo, scratch, packages: tree, comps, epoch: mtime, target });
    const key = await openRpmKey($, params.signing, env, mtime);
    if (key !== undefined) {
      await signFile(key, path.join(target, "repomd.xml"), path.join(target, "repomd.xml.asc"));
      const exported = path.join(needs.installer.repository, publicKeyFile);
      if (own.length > 0) await copyFile(exported, path.join(outputs.tree, publicKeyFile));
    }
    await writeFile(outputs.list, resolved.map((one) => `${nevraOf(one)}\n`).join(""));
    const bytes = resolved.reduce((sum, { size }) => sum + size, 0);
    note(`${resolved.length} packages, ${(bytes / 1e6).toFixed(1)} MB`);
  },
});

interface TreeRepositories {
  readonly opened: readonly OpenedRepository[];
  /** The packages of the installer. */
  readonly own: readonly WantedPackage[];
  /** Those with packages, with the directories of their metadata (absolute). */
  readonly repositories: readonly { readonly id: string; readonly path: string }[];
}

/** What a tree is made of; paths are those of the needs' outputs. */
export async function treeRepositories(needs: {
  readonly metadata: { readonly index: string; readonly repositories: string };
  readonly installer: { readonly repository: string };
}): Promise<TreeRepositories> {
  const opened = JSON.parse(await readFile(needs.metadata.index, "utf8")) as readonly OpenedRepository[];
  const own = await ownPackages(needs.installer.repository);
  const repositories = [
    ...opened.map(({ id }) => ({ id, path: path.join(needs.metadata.repositories, id) })),
    ...(own.length === 0 ? [] : [{ id: ownId, path: needs.installer.repository }]),
  ];
  return { opened, own, repositories };
}

/** The packages of the installer's repository (absolute), which are in every tree. */
async function ownPackages(repository: string): Promise<readonly WantedPackage[]> {
  if (!(await readdir(repository)).includes("Packages")) return [];
  const names = (await readTreePackages(path.join(repository, "Packages"))).map((one) => one.file);
  // NAME-VERSION-RELEASE.ARCH.rpm: neither version nor release has a hyphen.
  const where = "the installer's spec";
  return names.map((name) => ({ name: name.replace(/-[^-]+-[^-]+\.rpm$/, ""), where, by: where }));
}

/** What is to be fetched of each package that is not the installer's. */
function planOf(
  resolved: readonly ResolvedPackage[],
  wanted: readonly WantedPackage[],
  opened: readonly OpenedRepository[],
  sample: string | undefined,
): ReadonlyMap<ResolvedPackage, Artifact> {
  const wishes = new Map(wanted.map((one) => [one.name, one]));
  const plan = new Map<ResolvedPackage, Artifact>();
  const names = new Set<string>();
  for (const one of resolved) {
    const repository = opened.find(({ id }) => id === one.repository);
    if (repository === undefined) continue;
    const short = `${one.name}.${one.arch}.rpm`;
    // Several versions of one package are possible, as of kernels.
    const name = names.has(short) ? `${nevraOf(one).replaceAll(":", "_")}.rpm` : short;
    names.add(name);
    const needing = resolved.filter(({ needs }) => needs.includes(one.name)).map((other) => other.name);
    const wish = wishes.get(one.name);
    plan.set(one, {
      ...{ name, url: joinLocation(repository.url ?? sample ?? "", one.location), kind: "any" },
      ...{ size: one.size, sha256: one.sha256, repository: one.repository },
      version: `${one.epoch}:${one.version}-${one.release}`,
      wantedBy: wish === undefined ? needing : [wish.by, ...needing],
      where: wish?.where ?? `needed by ${needing.join(", ")}`,
    });
  }
  return plan;
}

async function checkSignatures(
  { $, scratch }: { readonly $: Parameters<typeof checkPackageSignatures>[0]; readonly scratch: string },
  keys: { readonly root: string },
  resolved: readonly ResolvedPackage[],
  opened: readonly OpenedRepository[],
  placed: ReadonlyMap<string, string>,
): Promise<void> {
  for (const repository of opened.filter(({ gpgcheck }) => gpgcheck)) {
    const packages = new Map(
      resolved
        .filter((one) => one.repository === repository.id)
        .map((one) => [nevraOf(one), placed.get(nevraOf(one)) ?? ""]),
    );
    const files = repository.keys.map((name) => path.join(keys.root, name));
    await checkPackageSignatures($, packages, files, path.join(scratch, `keys-${repository.id}`));
  }
}

/** In byte order of the file names. */
function treePackages(resolved: readonly ResolvedPackage[], directory: string): readonly TreePackage[] {
  const files = resolved.map(({ location, sha256 }) => {
    const name = path.posix.basename(location);
    return { file: name, path: path.join(directory, name), sha256 };
  });
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.file), Buffer.from(b.file)));
}
