/** Resolving packages and all that they need, by dnf, over metadata that is on this machine. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";
import type { WantedPackage } from "./wanted-packages.ts";

export interface ResolvedPackage {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  /** Id of the repository that has it. */
  readonly repository: string;
  /** Relative to the repository. */
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  /** Names of the packages in the same set that it needs. */
  readonly needs: readonly string[];
}

interface ResolutionRequest {
  readonly $: Shell;
  /** Absolute path of resolve.py. */
  readonly script: string;
  /** An existing directory (absolute) for dnf's files. */
  readonly scratch: string;
  readonly arch: string;
  /** Each with its directory (absolute). */
  readonly repositories: readonly { readonly id: string; readonly path: string }[];
  readonly wanted: readonly WantedPackage[];
}

type Answer =
  | { readonly packages: readonly (Omit<ResolvedPackage, "sha256"> & { readonly sha256: string | null })[] }
  | { readonly missing: readonly string[] }
  | { readonly problems: readonly string[] };

/**
 * The wanted packages with all that they need, in an order of dnf's that depends on names and versions only.
 * @throws UserError `package-not-found`, `package-conflict`, `repository-metadata`, `tool-failed`
 */
export async function resolvePackages(request: ResolutionRequest): Promise<readonly ResolvedPackage[]> {
  const { repositories, wanted } = request;
  const answer = await ask(request, "resolve");
  if ("missing" in answer) throw notFound(answer.missing, wanted, repositories);
  if ("problems" in answer) throw conflict(answer.problems, wanted);
  return answer.packages.map((found) => {
    if (found.sha256 !== null) return { ...found, sha256: found.sha256 };
    throw new UserError(`the repository ${found.repository} has no sha256 of ${found.name}`, {
      code: "repository-metadata",
      where: found.repository,
      hint: "ask the repository's owner to create the metadata with sha256 (createrepo_c's default)",
    });
  });
}

/** The names of wanted packages that no repository has; whether they exclude one another is not asked. */
export async function findMissing(request: ResolutionRequest): Promise<readonly string[]> {
  const answer = await ask(request, "find");
  return "missing" in answer ? answer.missing : [];
}

async function ask(request: ResolutionRequest, purpose: "resolve" | "find"): Promise<Answer> {
  const { $, script, scratch, arch, repositories, wanted } = request;
  const root = path.join(scratch, "dnf");
  await mkdir(root);
  const [question, answered] = [path.join(scratch, "request.json"), path.join(scratch, "answer.json")];
  const packages = wanted.map(({ name }) => name);
  await writeFile(question, JSON.stringify({ purpose, root, arch, repositories, packages }));
  const python = await pythonOf($);
  const { exitCode, stderr } = await $({ nothrow: true })`${python} ${script} ${question} ${answered}`;
  if (exitCode !== 0) {
    throw new UserError(`dnf cannot resolve the packages: ${lastLine(stderr)}`, {
      code: "tool-failed",
      where: "dnf",
      hint: "task revisor --verbose shows all that it said",
    });
  }
  return JSON.parse(await readFile(answered, "utf8")) as Answer;
}

/** The words that start the Python which has dnf's modules: those of dnf's own first line. Throws a `UserError` for dnf 5. */
async function pythonOf($: Shell): Promise<readonly string[]> {
  const first = await $({ nothrow: true })`sh -c ${'head -n 1 "$(command -v dnf)"'}`;
  const words = /^#!\s*(\S*python\S*.*)$/.exec(first.stdout.split("\n")[0] ?? "")?.[1]?.split(/\s+/);
  if (words !== undefined) return words;
  throw new UserError("this machine's dnf is not dnf 4, whose API resolves the packages", {
    code: "tool-failed",
    where: "dnf",
    hint: "install dnf 4: apt install dnf, or dnf install dnf4 python3-dnf",
  });
}

/** `name-epoch:version-release.arch`, as rpm writes it; an epoch of 0 is left out. */
export function nevraOf({ name, epoch, version, release, arch }: ResolvedPackage): string {
  return `${name}-${epoch === 0 ? "" : `${epoch}:`}${version}-${release}.${arch}`;
}

function notFound(
  missing: readonly string[],
  wanted: readonly WantedPackage[],
  repositories: ResolutionRequest["repositories"],
): UserError {
  const lines = missing.map((name) => `${name} (${wanted.find((one) => one.name === name)?.where ?? ""})`);
  const searched = repositories.map(({ id }) => id).join(", ");
  return new UserError(`no repository has ${lines.join(", ")}`, {
    code: "package-not-found",
    where: `repositories ${searched}`,
    hint: "correct the name, add the repository that has it, or update the pinned metadata: npx task update",
  });
}

/** dnf's solver names packages; the lines that want them are for us to add. */
function conflict(problems: readonly string[], wanted: readonly WantedPackage[]): UserError {
  const text = problems.join("\n");
  const wishes = wanted.filter(({ name }) =>
    new RegExp(`(^|[\\s(])${escaped(name)}(-\\d|\\s|$)`, "m").test(text),
  );
  return new UserError(`the packages cannot be installed together:\n${text}`, {
    code: "package-conflict",
    where: wishes.map(({ name, where }) => `${name} (${where})`).join(", ") || "lists/packages.lst",
    hint: "omit one of the packages, or add a repository that has what is missing",
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
