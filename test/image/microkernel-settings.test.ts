/** The Microkernel's configuration as the image gets it, and what is refused when it is built. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { microkernelConfiguration, microkernelKeys } from "../../tasks/image/microkernel-settings.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby");

const root = path.join(import.meta.dirname, "../..");
const file = "lists/microkernel.yaml";
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "razor mk settings "));
});

afterAll(async () => await rm(directory, { recursive: true, force: true }));

/** What the image's own configuration manager makes of a text: its values, and what it refuses. */
async function readInImage(text: string): Promise<unknown> {
  await writeFile(path.join(directory, "mk_conf.yaml"), text);
  const program = `
    require "json"
    require "razor_microkernel/rz_mk_configuration_manager"
    one = RazorMicrokernel::ConfigurationManager.new("mk_conf.yaml", "none")
    puts JSON.generate("values" => one.instance_variable_get(:@values), "refused" => one.refused)`;
  const library = path.join(root, "overlay-src/usr/local/lib/ruby/1.8");
  const { stdout, stderr } = spawnSync("ruby", ["-I", library, "-e", program], {
    cwd: directory,
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

async function refusal(text: string): Promise<readonly (string | undefined)[]> {
  try {
    await microkernelConfiguration(text, file);
  } catch (error) {
    if (error instanceof UserError) return [error.where, error.message];
    throw error;
  }
  return [];
}

describe("lists/microkernel.yaml", () => {
  it("becomes the image's configuration, which the Microkernel accepts whole", async () => {
    const text = await microkernelConfiguration(await readFile(path.join(root, file), "utf8"), file);
    expect(text).toMatch(/^mk_log_level: INFO$/m);
    const values = {
      mk_dialect: "razor",
      mk_checkin_interval: 60,
      mk_checkin_skew: 5,
      mk_network_timeout: 60,
    };
    expect(await readInImage(text)).toEqual({ values: expect.objectContaining(values), refused: [] });
  });

  it("means the same in the image for every key, whatever the value", async () => {
    const given = {
      mk_uri: "https://[fd00::1]:8026/a'b#c",
      mk_dialect: "hanlon",
      mk_register_path: "/r:x",
      mk_checkin_path: "/c#d",
      mk_checkin_interval: 1,
      mk_checkin_skew: 0,
      mk_fact_excl_pattern: "^a: 'b' \\d+ #\"{}[x]&*!|%@`$",
      mk_log_level: "FATAL",
      mk_network_timeout: 86_400,
      mk_reboot_interval: 0,
      mk_tce_mirror_port: 65_535,
      mk_tce_mirror_uri: "/tinycorelinux",
      mk_tce_install_list_uri: "http://m/list",
      mk_kmod_install_list_uri: "/tinycorelinux/kmod-install-list",
      mk_gem_mirror_uri: "http://m:2158/gem-mirror",
      mk_gemlist_uri: "/gems/gem.list",
    };
    expect(Object.keys(given)).toEqual(microkernelKeys);
    const text = await microkernelConfiguration(JSON.stringify(given), file);
    expect(await readInImage(text)).toEqual({ values: given, refused: [] });
  });

  it("may be empty: the Microkernel has defaults", async () => {
    expect(await readInImage(await microkernelConfiguration("# nothing\n", file))).toEqual({
      values: {},
      refused: [],
    });
  });

  it("is refused with the line of what is wrong", async () => {
    const wrong = async (line: string) => await refusal(`# a comment\nmk_checkin_skew: 5\n${line}\n`);
    const at = `${file}:3`;
    expect(await wrong("mk_intervall: 5")).toEqual([at, '"mk_intervall" is no key of this file']);
    expect(await wrong("mk_checkin_interval: soon")).toEqual([
      at,
      '"mk_checkin_interval" must be seconds from 1 to 86400',
    ]);
    for (const line of [
      "mk_checkin_interval: 0",
      "mk_checkin_interval: 1.5",
      "mk_checkin_interval:",
      "mk_uri: razor:8026",
      "mk_uri: [http://a/]",
      "mk_dialect: esperanto",
      "mk_log_level: LOUD",
      'mk_fact_excl_pattern: "("',
      'mk_fact_excl_pattern: "a\\nb"',
      "mk_tce_mirror_port: 65536",
      "mk_register_path: register",
      "mk_checkin_skew: 6",
    ]) {
      expect((await wrong(line))[0], line).toBe(at);
    }
    expect((await refusal("mk_uri: 'http://a\n"))[1]).toMatch(/^the file is not YAML: /);
    expect(await refusal("- a\n")).toEqual([`${file}:1`, "the file has no keys"]);
  });
});
