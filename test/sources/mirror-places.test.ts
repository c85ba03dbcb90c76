/** Which mirror, release and architecture a source means: by its entry, by its path, or by looking into a directory. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kindOf } from "../../tasks/source/kinds/index.ts";
import { checkout, makeDirectory, removeDirectory } from "../pipeline/workspace.ts";

let directory = "";
beforeAll(async () => {
  directory = await makeDirectory("mirror places");
  for (const place of [
    "one/16.x/x86_64/tcz",
    "one/16.x/notes",
    "one/lost+found",
    "two/4.x/x86",
    "two/16.x/x86_64",
  ])
    await mkdir(path.join(directory, place), { recursive: true });
  await mkdir(path.join(directory, "none/boot"), { recursive: true });
  await writeFile(path.join(directory, "file"), "");
  await writeFile(path.join(directory, "one/17.x"), "not a directory");
});
afterAll(() => removeDirectory(directory));

async function mirrorOf(name: string, mirrorUri?: string) {
  const { locations } = await kindOf(name).open({
    name,
    made: undefined,
    sourcesFile: path.join(checkout, "lists/sources.yaml"),
    mirrorUri,
    offline: true,
    choices: ["tinycore", "sample"],
  });
  return locations.mirror;
}

describe("an entry of the sources file", () => {
  it.each([
    ["tinycore", "4.x", "x86"],
    ["tinycore-16", "16.x", "x86"],
    ["tinycore-16-x86_64", "16.x", "x86_64"],
  ])("%s is Tiny Core's mirror for %s and %s", async (name, release, arch) => {
    expect(await mirrorOf(name)).toEqual({ base: "http://distro.ibiblio.org/tinycorelinux", release, arch });
  });
});

describe("a directory", () => {
  const at = (name: string) => path.join(directory, name);

  it("has the release and architecture that are in it", async () => {
    const found = { base: at("one"), release: "16.x", arch: "x86_64" };
    expect(await mirrorOf(at("one"))).toEqual(found);
    expect(await mirrorOf(path.relative(process.cwd(), at("one")))).toEqual(found);
    expect(await mirrorOf(pathToFileURL(at("one")).href)).toMatchObject({ release: "16.x", arch: "x86_64" });
  });

  it.each(["two/16.x/x86_64", "two/16.x/x86_64/", "two/16.x/x86_64/tcz"])(
    "may be one of several: %s",
    async (name) => {
      expect(await mirrorOf(at(name))).toEqual({ base: at("two"), release: "16.x", arch: "x86_64" });
    },
  );

  it("with several is an error that lists them as they can be asked for", async () => {
    await expect(mirrorOf(at("two"))).rejects.toMatchObject({
      code: "source-layout",
      message: "the directory is a mirror of several releases or architectures",
      hint: `choose one: --source ${at("two")}/4.x/x86, or --source ${at("two")}/16.x/x86_64`,
    });
  });

  it.each([
    ["none", "the directory is no Tiny Core mirror: it has no RELEASE.x/ARCH, such as 16.x/x86_64"],
    ["missing", "the directory of the source cannot be read (ENOENT)"],
    ["file", "the directory of the source cannot be read (ENOTDIR)"],
  ])("that is no mirror is an error: %s", async (name, message) => {
    await expect(mirrorOf(at(name))).rejects.toMatchObject({ code: "source-layout", message });
  });

  it("is not looked into where another mirror takes its place", async () => {
    expect(await mirrorOf(at("none"), "http://mirror.example/tc")).toEqual({
      base: "http://mirror.example/tc",
      release: "4.x",
      arch: "x86",
    });
  });
});

describe("a URL", () => {
  it.each([
    ["http://mirror.example/tc/14.x/x86_64", "http://mirror.example/tc", "14.x", "x86_64"],
    ["http://mirror.example/tc/14.x/x86/tcz/", "http://mirror.example/tc", "14.x", "x86"],
    ["http://mirror.example/14.x/x86", "http://mirror.example/", "14.x", "x86"],
    // A server cannot be looked into, so these are as in the entry tinycore.
    ["http://mirror.example/tc", "http://mirror.example/tc", "4.x", "x86"],
  ])("%s", async (url, base, release, arch) => {
    expect(await mirrorOf(url)).toEqual({ base, release, arch });
  });
});
