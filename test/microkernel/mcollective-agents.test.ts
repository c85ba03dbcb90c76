/** The Microkernel's agents in the distribution's MCollective, by unit tests in Ruby. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby", "minitest", "mcollective");

it("push a configuration that is checked like a POST, and tell the facts", () => {
  // Without -w: MCollective itself causes warnings.
  const { status, stdout } = spawnSync("ruby", [path.join(import.meta.dirname, "mcollective_agents.rb")], {
    encoding: "utf8",
  });
  expect({ status, summary: stdout }).toEqual({
    status: 0,
    summary: expect.stringMatching(/[1-9]\d* runs, .* 0 failures, 0 errors, 0 skips/),
  });
});
