/** What others see of a command line: never a secret, however it was written. */
import { describe, expect, it } from "vitest";
import { shownCommand } from "../../src/cli/commands/shown-command.ts";
import { out, param, task, taskfile } from "../../src/engine/index.ts";

const password = param.secret({
  name: "password",
  short: "t",
  aliases: ["pass"],
  description: "",
  value: "TEXT",
  default: undefined,
});
const definition = taskfile({
  title: "",
  targets: [
    task({
      name: "iso",
      description: "",
      params: { password },
      outputs: { x: out.file("x") },
      run: () => {},
    }),
  ],
  variants: { dev: { description: "", flags: [] } },
});

describe("a command line that others see", () => {
  it.each([
    [["iso", "-t", "hunter2"]],
    [["iso", "-thunter2"]],
    [["iso", "--password", "hunter2"]],
    [["iso", "--password=hunter2"]],
    [["iso", "--pass=hunter2"]],
    [["iso", "--source", "http://me:hunter2@mirror/"]],
  ])("hides the secret of %j", (argv) => {
    const shown = shownCommand(argv, definition);
    expect(shown).not.toContain("hunter2");
    expect(shown).toMatch(/^task iso .*\*\*\*/);
  });

  it("shows the rest as it was", () => {
    expect(shownCommand(["iso", "--prod", "-j", "2"], definition)).toBe("task iso --prod -j 2");
  });
});
