/** A task of this project's own: one document of all that the lists name, for the image's release page. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { files, out, task } from "razor-mk";

export const packageList = task({
  name: "package-list",
  description: "Write what the lists name as one document",
  inputs: { lists: files("*.{lst,list}", { root: "lists" }) },
  outputs: { document: out.artifact("build-files/package-list.md") },
  run: ({ inputs, outputs }) => {
    const sections = inputs.lists.paths.map((name) => {
      const lines = readFileSync(path.join(inputs.lists.root, name), "utf8").split("\n");
      const entries = lines.filter((line) => line !== "" && !line.startsWith("#"));
      return `## ${name}\n\n${entries.map((entry) => `- ${entry}\n`).join("")}`;
    });
    writeFileSync(outputs.document, sections.join("\n"));
  },
});
