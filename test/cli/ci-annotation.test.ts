/** What a CI service is told of a failure, and how somebody who looked away is called back. */
import { describe, expect, it } from "vitest";
import { ciNotes } from "../../src/cli/output/ci-annotation.ts";
import { callBack } from "../../src/cli/terminal/attention.ts";
import { UserError } from "../../src/errors/index.ts";
import { demo, put, runTask } from "./workshop.ts";

describe("on GitHub", () => {
  const env = { GITHUB_ACTIONS: "true" };

  it("a failure marks the line that it names, and is one line whatever it says", () => {
    const error = new UserError("no gem, 100% sure\nindeed", {
      code: "gem-not-found",
      where: "lists/gem.list:3",
      hint: "correct it",
    });
    expect(ciNotes(env)?.annotation(error, "image:gems")).toBe(
      "::error file=lists/gem.list,line=3,title=image%3Agems::no gem, 100%25 sure%0Aindeed%0Ahint: correct it",
    );
    expect(ciNotes(env)?.annotation(new Error("plain"))).toBe("::error::plain");
  });

  it("the output of a failed task is folded, and what is refused before a build is marked too", async () => {
    const root = demo();
    put(root, "in/script", "echo so far; exit 3\n");
    const { stderr } = await runTask(root, ["greet"], env);
    expect(stderr).toMatch(/^::group::output of greet\nso far\n::endgroup::\nerror: greet: /m);
    expect(stderr).toMatch(/^::error title=greet::a command exited with status 3$/m);
    expect((await runTask(root, ["gret"], env)).stderr).toMatch(
      /\n::error::there is no target "gret"%0Ahint: did you mean greet\?\n$/,
    );
    expect((await runTask(root, ["greet"])).stderr).not.toContain("::");
  });
});

describe("on GitLab", () => {
  it("the output of a failed task is a collapsed section", async () => {
    const fold = ciNotes({ GITLAB_CI: "true" }, () => 1234)?.fold("output of greet");
    expect(fold).toEqual({
      begin: "\u001b[0Ksection_start:1234:task_output_1[collapsed=true]\r\u001b[0Koutput of greet",
      end: "\u001b[0Ksection_end:1234:task_output_1\r\u001b[0K",
    });
    const root = demo();
    put(root, "in/script", "echo so far; exit 3\n");
    const { stderr } = await runTask(root, ["greet"], { GITLAB_CI: "true" });
    const [begin = "", output, end = ""] = stderr
      .split("\n")
      .slice(stderr.split("\n").findIndex((line) => line.includes("section_start")));
    expect([begin.includes("\u001b[0Koutput of greet"), output, end.includes("section_end")]).toEqual([
      true,
      "so far",
      true,
    ]);
  });
});

describe("the bell", () => {
  it("rings at a terminal after ten seconds, and nowhere else", () => {
    const rung = (isTTY: boolean, seconds: number, wanted = true): string => {
      let text = "";
      callBack({ stderr: { isTTY, write: (more) => (text += more) } }, seconds, wanted);
      return text;
    };
    expect(rung(true, 10)).toBe("\u0007");
    expect([rung(true, 9.9), rung(false, 60), rung(true, 60, false)]).toEqual(["", "", ""]);
  });
});
