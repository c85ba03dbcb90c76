/**
 * Which packages the sample source is made of, at which versions. A step of its own: after `apt-get update` it runs
 * again, and the sample source is made again only if a version changed.
 */
import { writeFile } from "node:fs/promises";
import { files, out, task } from "../src/engine/index.ts";
import { planPackages } from "./debian/packages.ts";
import { samplePackages } from "./sample/index.ts";

export const samplePackagePlan = task({
  name: "sample-packages",
  description: "Plan the packages of the sample source with apt",
  internal: true,
  variants: "shared",
  inputs: {
    packageLists: files("*_Packages*", { root: "/var/lib/apt/lists", optional: true }),
  },
  tools: ["apt-cache", "apt-get", "dpkg"],
  outputs: { plan: out.file("plan.json") },
  async run({ $, outputs, log, signal }) {
    const plan = await planPackages({ $, wanted: samplePackages, log, signal });
    await writeFile(outputs.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
  },
});
