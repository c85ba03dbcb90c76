/** What lies below a directory, on every version of Node. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { entriesBelow } from "../../src/formats/index.ts";
import { useWorkspace } from "./workspace.ts";

const workspace = useWorkspace();

test("what lies below a directory is found without following links, a directory before what it holds", async () => {
  const root = workspace.path("root");
  await mkdir(`${root}/a/b`, { recursive: true });
  await writeFile(`${root}/a/b/file`, "");
  await mkdir(workspace.path("outside"));
  await writeFile(workspace.path("outside/secret"), "");
  await symlink(workspace.path("outside"), `${root}/out`);
  await symlink("a", `${root}/in`);
  const found = await entriesBelow(root);
  expect(found.map(({ path }) => path).sort()).toEqual(["a", "a/b", "a/b/file", "in", "out"]);
  expect(found.map(({ path }) => path).indexOf("a/b")).toBeLessThan(
    found.map(({ path }) => path).indexOf("a/b/file"),
  );
  expect(
    found
      .filter(({ type }) => type.isSymbolicLink())
      .map(({ path }) => path)
      .sort(),
  ).toEqual(["in", "out"]);
});
