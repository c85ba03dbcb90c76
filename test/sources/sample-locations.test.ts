/** Where the sample source's parts are, and which of its extras the sources file leaves out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sample } from "../../tasks/source/kinds/sample.ts";

describe("the sample source", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "sample locations "));
    mkdirSync(path.join(directory, "extras"));
    for (const name of ["rubygems-3.3.15.tgz", "mcollective-2.0.0.tgz", "mk-open-vm-tools.tar.gz"])
      writeFileSync(path.join(directory, "extras", name), "");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const extrasWith = async (sources: string) => {
    const file = path.join(directory, "sources.yaml");
    writeFileSync(file, sources);
    const { locations } = await sample.open({
      name: "sample",
      made: directory,
      sourcesFile: file,
      mirrorUri: undefined,
      offline: true,
      choices: [],
    });
    return locations.extras;
  };

  it("needs no entry in the sources file: all its extras count", async () => {
    expect(await extrasWith("tinycore:\n  mirror: http://mirror.example\n")).toEqual({
      rubygems: path.join(directory, "extras/rubygems-3.3.15.tgz"),
      mcollective: path.join(directory, "extras/mcollective-2.0.0.tgz"),
      "open-vm-tools": path.join(directory, "extras/mk-open-vm-tools.tar.gz"),
    });
  });

  it("leaves out the extras that an entry of its name says are none", async () => {
    expect(await extrasWith("sample:\n  mcollective: none\n  rubygems: none\n")).toEqual({
      rubygems: undefined,
      mcollective: undefined,
      "open-vm-tools": path.join(directory, "extras/mk-open-vm-tools.tar.gz"),
    });
  });

  it("names the file that is no YAML", async () => {
    await expect(extrasWith("sample: [")).rejects.toMatchObject({ code: "source-definition" });
  });
});
