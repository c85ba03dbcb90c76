/** The Microkernel's programs: their unit tests in Ruby, one vitest case a file. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby", "minitest");

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith("_test.rb"));

it.each(files)("%s passes, without a warning of Ruby", (file) => {
  const { status, stdout, stderr } = spawnSync("ruby", ["-w", path.join(import.meta.dirname, file)], {
    encoding: "utf8",
  });
  expect({ status, stderr, summary: stdout }).toEqual({
    status: 0,
    stderr: "",
    summary: expect.stringMatching(/[1-9]\d* runs, .* 0 failures, 0 errors, 0 skips/),
  });
});
