/** The groups of the tree: comps.xml checked, also against the repositories; with --edit it is edited. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { command, file, out, task, when } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { edit, editFile } from "../settings/editing.ts";
import { ofPackage } from "../settings/package.ts";
import { shownPath } from "../settings/shown-path.ts";
import { source } from "../source/source-options.ts";
import { parseComps } from "./comps-file.ts";
import { installer } from "./installer.ts";
import { sampleName } from "./repository-access.ts";
import { findMissing } from "./resolution.ts";
import { treeArch, treeRepositories } from "./revisor.ts";
import { compsFile } from "./rpm-files.ts";
import { rpmIso } from "./rpm-iso.ts";
import { rpmMetadata } from "./rpm-metadata.ts";
import { sampleRpm } from "./sample-rpm.ts";

export const compsCheck = task({
  name: "comps-check",
  description: "Check comps.xml against the repositories",
  internal: true,
  variants: "shared",
  needs: { metadata: rpmMetadata, installer, sample: when(source, sampleName, sampleRpm) },
  inputs: { comps: file(compsFile, { byLine: true }), script: file(ofPackage("tasks/rpm/resolve.py")) },
  params: { source },
  tools: ["dnf"],
  outputs: {
    /** A line for each group: id, name, number of packages. */
    summary: out.file("groups.txt"),
  },
  async run({ $, needs, inputs, outputs, scratch }) {
    const groups = parseComps(await readFile(inputs.comps, "utf8"), shownPath(inputs.comps));
    const members = [...groups.values()].flatMap(({ id, members }) => members.map((one) => ({ ...one, id })));
    const { repositories } = await treeRepositories(needs);
    const wanted = members.map(({ name, where, id }) => ({ name, where, by: `the group ${id}` }));
    const request = { $, script: inputs.script, scratch, arch: treeArch, repositories, wanted };
    const missing = new Set(await findMissing(request));
    const lost = members.filter(({ name }) => missing.has(name));
    if (lost.length > 0) {
      throw new UserError(
        `no repository has ${lost.map(({ name, id, where }) => `${name} of the group ${id} (${where})`).join(", ")}`,
        {
          code: "package-not-found",
          where: compsFile,
          hint: "correct the name, remove it, or add the repository that has it",
        },
      );
    }
    const lines = [...groups.values()].map(
      ({ id, name, members }) => `${id}: ${name}, ${members.length} packages\n`,
    );
    await writeFile(outputs.summary, lines.join(""));
  },
});

export const comps = command({
  name: "comps",
  description: "Check the groups of comps.xml, or edit them (--edit)",
  group: "build",
  params: { edit, source },
  async run(context) {
    if (await context.value(edit)) {
      await editFile(context, compsFile, firstComps, rpmIso);
      parseComps(await readFile(path.join(context.workspace, compsFile), "utf8"), compsFile);
      return;
    }
    const { summary } = await context.build(compsCheck);
    for (const line of (await readFile(summary, "utf8")).trimEnd().split("\n")) context.print(line);
  },
});

const firstComps = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>core</id>
    <name>Core</name>
    <description>The smallest system</description>
    <default>true</default>
    <uservisible>false</uservisible>
    <packagelist>
      <packagereq type="mandatory">bash</packagereq>
    </packagelist>
  </group>
</comps>
`;
