/**
 * The source sample-rpm: a repository of RPMs made from the distribution's own packages and from two specs of ours, and boot files, so
 * that the flavour rpm can be tried without a distribution of RPMs.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { type AnyTaskContext, file, files, out, task } from "../../src/engine/index.ts";
import { downloadPackages } from "../debian/downloads.ts";
import type { PackageWishes } from "../debian/package-closure.ts";
import { type PackagePlan, planPackages } from "../debian/packages.ts";
import { keepDownloads, linkKnown, sampleSource } from "../sample-source.ts";
import { ofPackage } from "../settings/package.ts";
import { proxyVariables } from "../settings/proxy-variables.ts";
import { undated } from "../settings/undated.ts";
import { convertDeb } from "./converted-deb.ts";
import { readTreePackages, writeRepodata } from "./repodata.ts";
import { buildRpm } from "./rpm-building.ts";
import { writeSampleBoot } from "./sample-boot.ts";

/** Programs whose packages have no scripts that a root file system needs. */
const wanted: PackageWishes = {
  base: [],
  closed: ["bash", "coreutils", "dash", "grep", "hostname", "less", "sed"],
  alone: [],
  satisfied: new Set(["base-files", "debconf", "debianutils", "install-info", "libc-bin"]),
};

export const sampleRpmPackages = task({
  name: "sample-rpm-packages",
  description: "Plan the packages of the source sample-rpm with apt",
  internal: true,
  variants: "shared",
  inputs: { packageLists: files("*_Packages*", { root: "/var/lib/apt/lists", optional: true }) },
  tools: ["apt-cache", "apt-get", "dpkg"],
  outputs: { plan: out.file("plan.json") },
  async run({ $, outputs, log, signal }) {
    const plan = await planPackages({ $, wanted, log, signal });
    await writeFile(outputs.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
  },
});

export const sampleRpm = task({
  name: "sample-rpm",
  description: "Make a repository of RPMs from the distribution's packages",
  internal: true,
  variants: "shared",
  needs: { packages: sampleRpmPackages, core: sampleSource },
  inputs: {
    specs: files("*.spec", { root: ofPackage("tasks/rpm/sample") }),
    shell: file(ofPackage("tasks/rpm/sample/tree-shell.sh")),
  },
  tools: ["apt-get", "dpkg-deb", "alien", "rpmbuild", "createrepo_c", "xorriso"],
  passEnv: proxyVariables,
  outputs: {
    /** Packages/ and repodata/. */
    repository: out.directory("repository"),
    /** What a distribution's tree has for booting; see sample-boot.ts. */
    boot: out.directory("boot"),
  },
  async run(context) {
    const { $, needs, inputs, outputs, scratch, memo } = context;
    const packages = path.join(outputs.repository, "Packages");
    await mkdir(packages, { recursive: true });
    await convertPackages(context, needs.packages.plan, packages);
    for (const [index, name] of inputs.specs.paths.entries()) {
      const build = path.join(scratch, `spec-${index}`);
      await mkdir(build);
      const { root } = inputs.specs;
      await buildRpm({
        $,
        spec: path.join(root, name),
        sources: root,
        target: packages,
        scratch: build,
        epoch: undated,
      });
    }
    const target = path.join(outputs.repository, "repodata");
    await mkdir(target);
    const built = await readTreePackages(packages);
    await writeRepodata({ $, memo, scratch, packages: built, comps: undefined, epoch: undated, target });
    await writeSampleBoot({
      mirror: needs.core.mirror,
      shell: inputs.shell,
      target: outputs.boot,
      scratch,
    });
  },
});

/** Downloads the packages of the plan (absolute path), and makes an RPM of each that no earlier build made. */
async function convertPackages(
  {
    $,
    scratch,
    log,
    signal,
    blobs,
    memo,
  }: Pick<AnyTaskContext, "$" | "scratch" | "log" | "signal" | "blobs" | "memo">,
  planFile: string,
  target: string,
): Promise<void> {
  const plan = JSON.parse(await readFile(planFile, "utf8")) as PackagePlan;
  const dir = path.join(scratch, "packages");
  await linkKnown(plan, dir, blobs);
  const downloads = await downloadPackages({ $, plan, dir, signal, log });
  await keepDownloads(plan, dir, blobs);
  const convert = async ({ name, sha256 }: PackagePlan["packages"][number]): Promise<void> => {
    const place = path.join(scratch, `convert-${name}`);
    let file = "";
    const made = await memo([name, sha256], async (memoFile) => {
      await mkdir(path.join(place, "rpm"), { recursive: true });
      const deb = downloads[name] ?? "";
      await convertDeb($, {
        name,
        deb,
        target: path.join(place, "rpm"),
        scratch: path.join(place, "work"),
        epoch: undated,
      });
      const [rpm = ""] = await readdir(path.join(place, "rpm"));
      await copyFile(path.join(place, "rpm", rpm), memoFile);
      file = rpm;
    });
    if (file === "")
      file = (await $`rpm -qp --qf ${"%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"} ${made}`).stdout.trim();
    await copyFile(made, path.join(target, file));
  };
  const left = [...plan.packages];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await convert(next);
  };
  // rpmbuild and alien are mostly programs that wait for one another.
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}
