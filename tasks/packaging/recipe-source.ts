/** The source of a recipe, brought to a directory: from the project, a download that its digest binds, or a commit of git. */
import { cp, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Memo } from "../../src/engine/index.ts";
import { treeFromDirectory } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { digestOf } from "./made-extension.ts";
import type { Recipe } from "./recipe.ts";

export interface SourceContext {
  readonly $: Shell;
  readonly memo: Memo;
  /** Absolute path of a download with this sha256. */
  readonly download: (url: string, sha256: string, where: string) => Promise<string>;
}

/** A source that is at hand. */
interface ObtainedSource {
  /** What its content is known by. */
  readonly digest: string;
  /** Puts it into a directory (absolute), which is empty. */
  readonly place: (directory: string) => Promise<void>;
}

/** Names of files that are unpacked, by what tar does with them. */
const archive = /\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz|zst|lzma))$/;

/**
 * Obtains the source of a recipe in the directory `home` (absolute). Nothing for a recipe without one.
 * @throws UserError `recipe`, and those of downloads
 */
export async function obtainSource(
  { source, error }: Pick<Recipe, "source" | "error">,
  home: string,
  where: string,
  { $, memo, download }: SourceContext,
): Promise<ObtainedSource> {
  if (source === undefined) return { digest: "", place: async () => {} };
  if (source.kind === "path") {
    const from = path.join(home, source.path);
    const status = await stat(from).catch(() => undefined);
    if (status === undefined)
      throw error(["source"], `there is no ${source.path} in the extension's directory`, "correct the path");
    if (status.isFile()) return await ofFile(from, await digestOf(from, "sha256"), $);
    const tree = await treeFromDirectory(from, { mtime: 0 });
    return {
      digest: await tree.digest(),
      place: (directory) => cp(from, directory, { recursive: true, verbatimSymlinks: true }),
    };
  }
  if (source.kind === "url") {
    const file = await download(source.url, source.sha256, where);
    return await ofFile(
      file,
      source.sha256,
      $,
      path.posix.basename(new URL(source.url, "file:///").pathname),
    );
  }
  const { url, commit } = source;
  const file = await memo(["git", url, commit], async (target) => {
    const clone = `${target}.git`;
    try {
      await $`git init --quiet --bare ${clone}`;
      await $`git -C ${clone} fetch --quiet --depth 1 ${url} ${commit}`;
      await $`git -C ${clone} archive --format=tar --output=${target} ${commit}`;
    } catch (cause) {
      if (typeof cause !== "object" || cause === null || !("stderr" in cause)) throw cause;
      const said = `${cause.stderr}`.trim().split("\n").at(-1) ?? "";
      throw error(
        ["source", "commit"],
        `git cannot fetch the commit: ${said}`,
        "check the URL and the commit",
      );
    } finally {
      await rm(clone, { recursive: true, force: true });
    }
  });
  return { digest: commit, place: (directory) => unpack($, file, directory) };
}

async function ofFile(
  file: string,
  digest: string,
  $: Shell,
  name = path.basename(file),
): Promise<ObtainedSource> {
  return {
    digest: `${name} ${digest}`,
    place: async (directory) => {
      if (!archive.test(name)) await cp(file, path.join(directory, name));
      else await unpack($, file, directory);
    },
  };
}

/** Unpacks a tarball; the one directory at its top, if there is nothing else, is left out. */
async function unpack($: Shell, file: string, directory: string): Promise<void> {
  await $`tar --no-same-owner --no-same-permissions -C ${directory} -xf ${file}`;
  const [top, ...more] = await readdir(directory);
  if (top === undefined || more.length > 0) return;
  const within = path.join(directory, top);
  if (!(await stat(within)).isDirectory()) return;
  const aside = `${directory}.top`;
  await rename(within, aside);
  await rm(directory, { recursive: true });
  await mkdir(path.dirname(directory), { recursive: true });
  await rename(aside, directory);
}
