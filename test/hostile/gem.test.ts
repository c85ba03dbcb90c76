/** Gems that are not what their file's name says. */
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readGemIdentity } from "../../src/formats/index.ts";
import { inspectArtifact } from "../../tasks/source/inspection.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { gemBytes, gemSpecification } from "./gem-builder.ts";
import { tarBytes } from "./tar-builder.ts";

const workspace = useWorkspace();

async function inspect(bytes: Buffer): Promise<void> {
  const file = workspace.path("a.gem");
  await writeFile(file, bytes);
  const artifact = { name: "foo-1.0.gem", version: "1.0", url: "http://user:secret@gems/foo-1.0.gem" };
  await inspectArtifact({ ...artifact, kind: "gem" }, file);
}

describe("a gem", () => {
  test("is accepted under the name and version of its own specification", async () => {
    await inspect(gemBytes(gemSpecification("foo", "1.0")));
    await inspect(gemBytes(gemSpecification('"foo"', "'1.0'")));
  });

  test.each([
    ["name", gemSpecification("evil", "1.0"), '"evil", not "foo"'],
    ["version", gemSpecification("foo", "9.9"), '"9.9", not "1.0"'],
    ["version", gemSpecification("foo", "1.0.0"), '"1.0.0", not "1.0"'],
    ["platform", gemSpecification("foo", "1.0", "java"), '"java", not "ruby"'],
  ])("of another %s inside is refused by name", async (field, specification, told) => {
    await expect(inspect(gemBytes(specification))).rejects.toMatchObject({
      code: "wrong-gem",
      message: expect.stringContaining(`the ${field} in its specification is ${told}`),
      where: "foo-1.0.gem (http://gems/foo-1.0.gem)",
    });
  });

  const specification = gzipSync(gemSpecification("foo", "1.0"));
  test.each([
    ["two names", gemBytes(`${gemSpecification("foo", "1.0")}name: evil\n`), /duplicate key/],
    ["no specification", tarBytes([{ path: "data.tar.gz", body: "" }]), /no metadata\.gz/],
    [
      "two specifications",
      tarBytes([
        { path: "metadata.gz", body: specification },
        { path: "metadata.gz", body: gzipSync(gemSpecification("evil", "1.0")) },
      ]),
      /two members of the same name/,
    ],
    [
      "a specification that is a link",
      tarBytes([{ path: "metadata.gz", type: "SymbolicLink", linkpath: "/etc/passwd" }]),
      /no metadata\.gz/,
    ],
    ["a specification that is a pipe", tarBytes([{ path: "metadata.gz", type: "FIFO" }]), /no metadata\.gz/],
    [
      "a specification that unpacks to a lot",
      tarBytes([{ path: "metadata.gz", body: gzipSync(Buffer.alloc(40 * 1024 * 1024)) }]),
      /gem cannot be read/,
    ],
    ["text instead of gzip", tarBytes([{ path: "metadata.gz", body: "name: foo" }]), /gem cannot be read/],
    ["an empty specification", tarBytes([{ path: "metadata.gz", body: gzipSync("") }]), /has no name/],
    [
      "references to itself",
      tarBytes([{ path: "metadata.gz", body: gzipSync("a: &a [*a, *a]\nname: *a\n") }]),
      /gem cannot be read/,
    ],
    ["its end missing", gemBytes(gemSpecification("foo", "1.0")).subarray(0, 700), /gem cannot be read/],
    ["a page instead", Buffer.from("<html>not found</html>"), /gem cannot be read/],
  ])("with %s is refused by name", async (_what, bytes, message) => {
    await expect(inspect(bytes)).rejects.toMatchObject({
      code: "bad-gem",
      message: expect.stringMatching(message),
      where: "foo-1.0.gem (http://gems/foo-1.0.gem)",
    });
  });

  test("tells its name, version and platform", async () => {
    const file = workspace.path("b.gem");
    await writeFile(file, gemBytes(gemSpecification("bar", "2.0.pre")));
    expect(await readGemIdentity(file)).toEqual({ name: "bar", version: "2.0.pre", platform: "ruby" });
  });
});
