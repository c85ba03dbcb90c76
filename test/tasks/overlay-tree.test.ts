/** Which file of an old project becomes the Microkernel's settings. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { overlayTree } from "../../tasks/image/overlay-tree.ts";

const project = mkdtempSync(path.join(tmpdir(), "old project "));
mkdirSync(path.join(project, "tmp"));
mkdirSync(path.join(project, "razor_microkernel"));
writeFileSync(path.join(project, "tmp/mk_conf.yaml"), "mk_log_level: Logger::INFO\n");
writeFileSync(path.join(project, "tmp/mk_conf_debug.yaml"), "mk_log_level: Logger::DEBUG\n");

afterAll(() => rmSync(project, { recursive: true }));

// Source: puppetlabs/Razor-Microkernel, build-bundle-file.sh copies one of the two, as tmp/mk_conf.yaml.
it.each([
  ["debug", "mk_log_level: Logger::DEBUG\n"],
  ["dev", "mk_log_level: Logger::INFO\n"],
  ["prod", "mk_log_level: Logger::INFO\n"],
])("the settings of a %s image are its own, and no second file", async (variant, text) => {
  const options = { mtime: 0, variant, mcollectiveDirectory: undefined, modes: new Map<string, number>() };
  const tree = await overlayTree(project, options);
  expect((await tree.read("tmp/mk_conf.yaml")).toString()).toBe(text);
  expect(tree.paths().filter((name) => name.includes("mk_conf"))).toEqual(["tmp/mk_conf.yaml"]);
});
