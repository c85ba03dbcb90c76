/** An RPM made from one of the distribution's packages: alien writes its spec, which is then built reproducibly. */
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../../src/host/index.ts";
import { buildRpm } from "./rpm-building.ts";

/** What a package provides that rpm's generators find in binaries and no package says: glibc's own spec does. */
const additions: Readonly<Record<string, string>> = { libc6: "Provides: rtld(GNU_HASH)" };

/**
 * Converts the package `deb` (absolute path) of this name into an RPM in `target`. Maintainer scripts are left out: they call dpkg.
 * `scratch` is a directory that does not exist; `epoch` in seconds since 1970.
 */
export async function convertDeb(
  $: Shell,
  {
    name,
    deb,
    target,
    scratch,
    epoch,
  }: Readonly<Record<"name" | "deb" | "target" | "scratch", string>> & {
    readonly epoch: number;
  },
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  await $({ cwd: scratch })`alien --to-rpm --generate --keep-version ${deb}`;
  const [unpacked = ""] = await readdir(scratch);
  const root = path.join(scratch, unpacked);
  const spec = (await readdir(root)).find((one) => one.endsWith(".spec")) ?? "";
  const text = cleanSpec(await readFile(path.join(root, spec), "utf8"), name);
  const moved = path.join(scratch, "package.spec");
  await rename(path.join(root, spec), moved);
  await writeFile(moved, text);
  const build = path.join(scratch, "build");
  await mkdir(build);
  await buildRpm({ $, spec: moved, sources: scratch, target, scratch: build, buildroot: root, epoch });
}

/** Alien's spec without its version and directories of this machine, and with root as the owner of all files. */
function cleanSpec(text: string, name: string): string {
  return text
    .split("\n")
    .filter((line) => !/^(Buildroot:|%define _rpm)/.test(line))
    .map((line) => line.replace(/ by alien version [\d.]+/, ""))
    .flatMap((line) => {
      if (line.startsWith("Group:")) return additions[name] === undefined ? [line] : [line, additions[name]];
      return line === "%files" ? [line, "%defattr(-,root,root)"] : [line];
    })
    .join("\n");
}
