/** The installer's package: the project's own spec, built into a repository of its own; and the spec as it is built. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { command, files, out, task } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { epoch, isoVersion } from "../settings/image-options.ts";
import { signing } from "../settings/store-options.ts";
import { readTreePackages, writeRepodata } from "./repodata.ts";
import { buildRpm } from "./rpm-building.ts";
import { installerDirectory } from "./rpm-files.ts";
import { openRpmKey, publicKeyOf, signingEnv, signPackages } from "./rpm-signing.ts";
import { renderSpec } from "./spec-template.ts";

/** The project's key in the tree, where installers look for it. */
export const publicKeyFile = "RPM-GPG-KEY";

const sources = files("**", { root: installerDirectory, optional: true });

export const renderedSpec = task({
  name: "rendered-spec",
  description: "Render and check the installer's spec",
  internal: true,
  variants: "shared",
  inputs: { sources },
  params: { isoVersion, epoch },
  tools: ["rpmspec"],
  outputs: { directory: out.directory("spec") },
  async run({ $, inputs, params, outputs }) {
    const about = { version: params.isoVersion, epoch: Number(params.epoch) };
    const rendered = await renderSpec(inputs.sources, about);
    if (rendered === undefined) return;
    const file = path.join(outputs.directory, rendered.name);
    await writeFile(file, rendered.text);
    const { exitCode, stderr } = await $({ nothrow: true })`rpmspec -P ${file}`;
    if (exitCode === 0) return;
    const [line = ""] = stderr.split("\n").filter((one) => one.startsWith("error:"));
    throw new UserError(
      `rpmspec cannot parse the spec: ${line.replace("error: ", "").replace(`${file}: `, "")}`,
      {
        code: "bad-spec",
        where: `${installerDirectory}/${rendered.name}`,
        hint: "correct the spec",
      },
    );
  },
});

export const spec = command({
  name: "spec",
  description: "Check the installer's spec, and show it as it is built",
  group: "build",
  params: { isoVersion, epoch },
  async run({ build, print }) {
    const { directory } = await build(renderedSpec);
    for (const name of await readdir(directory)) {
      const text = await readFile(path.join(directory, name), "utf8");
      for (const line of text.trimEnd().split("\n")) print(line);
    }
  },
});

export const installer = task({
  name: "installer",
  description: "Build the installer's package from its spec",
  group: "build",
  variants: "shared",
  needs: { spec: renderedSpec },
  inputs: { sources },
  params: { epoch, signing },
  tools: ["rpmbuild", "createrepo_c"],
  optionalTools: ["gpg", "rpmsign"],
  passEnv: signingEnv,
  outputs: {
    /** Packages/ and repodata/; empty without a spec. */
    repository: out.directory("repository"),
  },
  async run({ $, needs, inputs, params, outputs, scratch, memo, env }) {
    const [name] = await readdir(needs.spec.directory);
    if (name === undefined) return;
    const mtime = Number(params.epoch);
    const packages = path.join(outputs.repository, "Packages");
    const build = path.join(scratch, "build");
    for (const directory of [packages, build]) await mkdir(directory);
    const { root } = inputs.sources;
    await buildRpm({
      ...{ $, spec: path.join(needs.spec.directory, name), sources: root },
      ...{ target: packages, scratch: build, epoch: mtime },
    });
    const built = (await readdir(packages)).sort();
    const key = await openRpmKey($, params.signing, env, mtime);
    if (key !== undefined) {
      await signPackages(
        key,
        built.map((one) => path.join(packages, one)),
      );
      await writeFile(path.join(outputs.repository, publicKeyFile), await publicKeyOf(key));
    }
    const target = path.join(outputs.repository, "repodata");
    await mkdir(target);
    const listed = await readTreePackages(packages);
    await writeRepodata({ $, memo, scratch, packages: listed, comps: undefined, epoch: mtime, target });
  },
});
