/** Libraries that an own extension needs: whether one of its dependencies has them. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createShell, ProcessGroups } from "../../src/host/index.ts";
import { describeMissingLibraries } from "../../tasks/packaging/given-libraries.ts";
import { usesPrograms } from "../support/programs.ts";
import { elf, kernelRelease, openProject, type Project } from "./project.ts";

usesPrograms("mksquashfs", "unsquashfs");

let project: Project;
beforeEach(() => {
  project = openProject();
});
afterEach(() => project.remove());

it("names a library that neither Core nor a dependency has, however far away the dependency", async () => {
  project.write({
    "*tool/tree/usr/local/bin/tool": elf(62, ["libc.so.6", "libfar.so.1", "libnone.so.1"]),
    "tool/dep": "near.tcz",
    "near/dep": "far-KERNEL.tcz",
    "far-KERNEL/tree/usr/local/lib/libfar.so.1": "library",
    "apart/tree/usr/local/lib/libnone.so.1": "of no dependency",
  });
  const { made } = await project.make();
  mkdirSync(project.made("empty"));
  const directory = path.dirname(project.made("x"));
  const $ = await createShell({ cwd: directory, groups: new ProcessGroups(), tools: ["unsquashfs"] });
  const places = [project.made("empty"), directory];
  expect(await describeMissingLibraries($, [...made.values()], places, kernelRelease)).toEqual([
    "tool.tcz: usr/local/bin/tool needs libnone.so.1, which neither Core nor a dependency has: add the extension with it to the dependencies",
  ]);
});
