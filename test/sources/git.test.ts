/** What the version and the time of a build come from: git, and every path that its answers depend on. */
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ParameterHost, PathDependencySource } from "../../src/engine/index.ts";
import { askGit } from "../../tasks/settings/git.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function repository() {
  const root = mkdtempSync(path.join(tmpdir(), "git test "));
  roots.push(root);
  // Nobody's own configuration, and hence an author named here.
  const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", ...args], {
      cwd: root,
      env,
    }).toString();
  const put = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  git("init", "-q", "-b", "main");
  put("directory/one", "1\n");
  git("add", "directory");
  git("commit", "-q", "-m", "first");
  let dependsOn: PathDependencySource = async () => ({ paths: [], isWhole: true });
  const host: ParameterHost = {
    root,
    env,
    variant: "dev",
    value: () => {
      throw new Error("nothing else is asked");
    },
    note: () => {},
    dependsOn: (_place, paths) => {
      dependsOn = paths;
    },
  };
  return {
    root,
    git,
    put,
    describe: () => askGit(host, root, ["describe", "--tags", "--dirty", "--always"]),
    dependsOn: () => dependsOn(),
  };
}

function statusesOf(paths: readonly string[]): string {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  return paths
    .map((one) => [lstatSync(one, options), statSync(one, options)])
    .map((both) =>
      both.map((status) => `${status?.ino} ${status?.size} ${status?.mtimeNs} ${status?.ctimeNs}`).join(),
    )
    .join("\n");
}

describe("what git says of a workspace", () => {
  it("changes with nothing but what it is said to come from", async () => {
    const { git, put, describe, dependsOn } = repository();
    const changes: readonly (() => unknown)[] = [
      () => git("tag", "v1.0"),
      () => put("directory/one", "2\n"),
      () => git("commit", "-q", "-a", "-m", "second"),
      () => git("tag", "-f", "v1.0"),
      () => git("checkout", "-q", "-b", "side/way", "HEAD~1"),
      () => git("tag", "deep/tag"),
      () => git("rm", "-q", "--cached", "directory/one"),
      () => git("reset", "-q", "--hard"),
      () => git("tag", "-d", "deep/tag"),
    ];
    let before = await describe();
    for (const change of changes) {
      const { paths, isWhole } = await dependsOn();
      expect(isWhole).toBe(true);
      expect(paths.length).toBeGreaterThan(5);
      const statuses = statusesOf(paths);
      expect(statusesOf(paths)).toBe(statuses);
      change();
      const after = await describe();
      expect(after, String(change)).not.toBe(before);
      expect(statusesOf(paths), String(change)).not.toBe(statuses);
      before = after;
    }
  });

  it("comes, without a repository, from one that may come to be here or above", async () => {
    const { root, describe, dependsOn } = repository();
    rmSync(path.join(root, ".git"), { recursive: true });
    expect(await describe()).toBeUndefined();
    expect((await dependsOn()).paths).toEqual(expect.arrayContaining([path.join(root, ".git"), "/.git"]));
  });

  it("cannot be traced where there are submodules", async () => {
    const { git, describe, dependsOn } = repository();
    const commit = git("rev-parse", "HEAD").trim();
    git("update-index", "--add", "--cacheinfo", `160000,${commit},part`);
    await describe();
    expect(await dependsOn()).toMatchObject({ isWhole: false });
  });
});
