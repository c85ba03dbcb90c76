/** The version of an image: from git where there is one to be had, and never one that a file name cannot hold. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ParameterHost } from "../../src/engine/index.ts";
import { sourceDateEpoch } from "../../tasks/settings/epoch.ts";
import { describeVersion } from "../../tasks/settings/git-version.ts";
import { undated } from "../../tasks/settings/undated.ts";
import { writeVersionFile } from "../../tasks/settings/version-file.ts";
import { isVersion, nextVersion, type VersionPart } from "../../tasks/settings/version-form.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C" };

describe("the version of a build", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "version test "));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function git(directory: string, ...args: readonly string[]): string {
    const settings = [
      "-c",
      "user.name=tests",
      "-c",
      "user.email=tests@localhost",
      "-c",
      "protocol.file.allow=always",
    ];
    return execFileSync("git", ["-C", directory, ...settings, ...args], { env, encoding: "utf8" }).trim();
  }

  /** A repository with one commit; returns the commit as git abbreviates it. */
  function repository(directory: string): string {
    mkdirSync(directory, { recursive: true });
    git(directory, "init", "-q", "-b", "main");
    writeFileSync(path.join(directory, "file"), "text\n");
    git(directory, "add", "file");
    git(directory, "commit", "-q", "-m", "one");
    return git(directory, "rev-parse", "--short", "HEAD");
  }

  const notes: string[] = [];

  function hostOf(directory: string, more: Readonly<Record<string, string>> = {}): ParameterHost {
    notes.length = 0;
    return {
      root: directory,
      env: { ...env, ...more },
      variant: "dev",
      value: () => {
        throw new Error("no other value is asked for");
      },
      note: (message) => notes.push(message),
      dependsOn: () => {},
    };
  }

  function describeIn(directory: string, overlay = "overlay-src"): Promise<string> {
    return describeVersion(hostOf(directory), overlay);
  }

  /** What both the version and the time of a build say, where git cannot be asked. */
  async function expectRefused(
    directory: string,
    error: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    for (const ask of [describeVersion, sourceDateEpoch]) {
      const answer = ask(hostOf(directory, more), "overlay-src");
      await expect(answer).rejects.toMatchObject({
        hint: expect.stringMatching(/--iso-version and --source-date-epoch/),
        ...error,
      });
    }
  }

  it.each([
    ["v0.9.3", "0.9.3"],
    ["0.9.3.1", "0.9.3.1"],
    ["v1.10.0-rc1", "1.10.0+rc1"],
  ])("is that of the tag %s: %s", async (tag, version) => {
    repository(root);
    git(root, "tag", tag);
    expect(await describeIn(root)).toBe(version);
  });

  it("is what VERSION says, whatever git describes, until the file is deleted", async () => {
    repository(root);
    git(root, "tag", "v0.9.3");
    writeVersionFile(root, "2.0.0-beta.1");
    expect(readFileSync(path.join(root, "VERSION"), "utf8")).toBe("2.0.0-beta.1\n");
    expect(readdirSync(root).sort()).toEqual([".git", "VERSION", "file"]);
    expect(await describeIn(root)).toBe("2.0.0-beta.1");
    rmSync(path.join(root, "VERSION"));
    expect(await describeIn(root)).toBe("0.9.3");
  });

  it("is not what VERSION says, where a project in another repository is built", async () => {
    const project = path.join(root, "their project");
    repository(project);
    git(project, "tag", "v3.1.4");
    writeVersionFile(root, "2.0.0");
    expect(await describeIn(root, project)).toBe("3.1.4");
  });

  it("is refused where VERSION has none, or cannot be read", async () => {
    writeFileSync(path.join(root, "VERSION"), "1.0\n2.0\n");
    const where = path.join(root, "VERSION");
    await expect(describeIn(root)).rejects.toMatchObject({ code: "version-invalid", where });
    rmSync(where);
    mkdirSync(where);
    await expect(describeIn(root)).rejects.toMatchObject({ code: "unreadable-file", where });
    expect(() => writeVersionFile(root, "1.0.0")).toThrow(expect.objectContaining({ code: "not-writable" }));
    expect(readdirSync(root)).toEqual(["VERSION"]);
  });

  it("counts the commits since the tag behind a plus, and says when files were changed", async () => {
    repository(root);
    git(root, "tag", "v0.9.3");
    git(root, "commit", "-q", "--allow-empty", "-m", "two");
    const commit = git(root, "rev-parse", "--short", "HEAD");
    expect(await describeIn(root)).toBe(`0.9.3+1-g${commit}`);
    writeFileSync(path.join(root, "file"), "changed\n");
    expect(await describeIn(root)).toBe(`0.9.3+1-g${commit}-dirty`);
  });

  it("is 0.0.0+g<commit> without any tag, and in a shallow clone that has none", async () => {
    const origin = path.join(root, "origin");
    repository(origin);
    git(origin, "tag", "v0.9.3");
    git(origin, "commit", "-q", "--allow-empty", "-m", "two");
    const commit = git(origin, "rev-parse", "--short", "HEAD");
    git(root, "clone", "-q", "--depth", "1", "--no-tags", `file://${encodeURI(origin)}`, "shallow");
    expect(await describeIn(path.join(root, "shallow"))).toBe(`0.0.0+g${commit}`);
  });

  it("is asked for by name where there is neither git nor anything else that says one", async () => {
    await expect(describeIn(root)).rejects.toMatchObject({
      code: "version-unknown",
      hint: expect.stringContaining("--iso-version"),
    });
  });

  it("is refused where a tag cannot stand in a file's name", async () => {
    repository(root);
    git(root, "tag", "release/0.9.3");
    await expect(describeIn(root)).rejects.toMatchObject({
      code: "version-invalid",
      message: expect.stringContaining("release/0.9.3"),
      hint: expect.stringContaining("--iso-version"),
    });
  });

  it("is the project's own, where somebody's project is built that is a checkout", async () => {
    repository(path.join(root, "ours"));
    const project = path.join(root, "their project");
    repository(project);
    git(project, "tag", "v3.1.4");
    expect(await describeIn(path.join(root, "ours"), project)).toBe("3.1.4");
  });

  it.each(["20231111", "1234567", "deadbeef", "0123456789abcdef0123456789abcdef01234567"])(
    "is that of the tag %s, which could be a commit's name",
    async (tag) => {
      repository(root);
      git(root, "tag", tag);
      expect(await describeIn(root)).toBe(tag);
      git(root, "commit", "-q", "--allow-empty", "-m", "two");
      expect(await describeIn(root)).toBe(`${tag}+1-g${git(root, "rev-parse", "HEAD").slice(0, 7)}`);
    },
  );

  it("and its time are the same whatever the user or the repository has set in git", async () => {
    repository(root);
    git(root, "tag", "v0.9.3");
    git(root, "commit", "-q", "--allow-empty", "-m", "two");
    const version = `0.9.3+1-g${git(root, "rev-parse", "HEAD").slice(0, 7)}`;
    const time = git(root, "log", "-1", "--format=%ct");
    for (const [name, value] of [
      ["core.abbrev", "14"],
      ["log.showSignature", "true"],
      ["log.date", "iso"],
      ["core.fsmonitor", "true"],
      ["color.ui", "always"],
    ] as const) {
      git(root, "config", name, value);
      expect(await describeIn(root), name).toBe(version);
      expect(await sourceDateEpoch(hostOf(root), "overlay-src"), name).toBe(time);
    }
  });

  it("and its time are this repository's in a hook of another one, which leaves its variables", async () => {
    const other = path.join(root, "other");
    repository(other);
    git(other, "tag", "v9.9");
    const own = path.join(root, "own");
    repository(own);
    git(own, "tag", "v1.5");
    for (const [name, value] of [
      ["GIT_DIR", path.join(other, ".git")],
      ["GIT_DIR", "."],
      ["GIT_WORK_TREE", other],
      ["GIT_INDEX_FILE", path.join(other, ".git/index")],
      ["GIT_CONFIG_COUNT", "1"],
    ] as const) {
      vi.stubEnv(name, value);
      expect(await describeVersion(hostOf(own, { [name]: value }), "overlay-src"), name).toBe("1.5");
    }
    vi.unstubAllEnvs();
  });

  it("is not guessed where git does not trust the checkout's owner, and is there once it does", async () => {
    if (process.getuid?.() !== 0) return;
    repository(root);
    git(root, "tag", "v1.5");
    chownSync(root, 1234, 1234);
    chownSync(path.join(root, ".git"), 1234, 1234);
    await expectRefused(root, {
      code: "git-ownership",
      message: expect.stringContaining("dubious ownership"),
      hint: expect.stringContaining(`safe.directory "${root}"`),
    });
    const trust = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: root,
    };
    expect(await describeVersion(hostOf(root, trust), "overlay-src")).toBe("1.5");
    const home = path.join(root, "home");
    mkdirSync(home);
    writeFileSync(path.join(home, ".gitconfig"), `[safe]\n\tdirectory = ${root}\n`);
    expect(await describeVersion(hostOf(root, { HOME: home }), "overlay-src")).toBe("1.5");
  });

  it("is not guessed where git is not installed, and there is a repository", async () => {
    repository(root);
    await expectRefused(
      root,
      { code: "git-missing", where: path.join(root, ".git"), hint: expect.stringContaining("install git") },
      { PATH: root },
    );
  });

  it.each<readonly [string, (directory: string) => void]>([
    ["HEAD is lost", (directory) => rmSync(path.join(directory, ".git/HEAD"))],
    ["the branch is gone", (directory) => rmSync(path.join(directory, ".git/refs/heads/main"))],
    [
      "all objects are gone",
      (directory) => rmSync(path.join(directory, ".git/objects"), { recursive: true }),
    ],
    ["the index is damaged", (directory) => writeFileSync(path.join(directory, ".git/index"), "damaged")],
    ["HEAD is damaged", (directory) => writeFileSync(path.join(directory, ".git/HEAD"), "damaged\n")],
    [
      "the repository has moved",
      (directory) => {
        rmSync(path.join(directory, ".git"), { recursive: true });
        writeFileSync(path.join(directory, ".git"), "gitdir: /nonexistent/repository\n");
      },
    ],
    [
      "the repository is a link to nothing",
      (directory) => {
        rmSync(path.join(directory, ".git"), { recursive: true });
        symlinkSync("/nonexistent/repository", path.join(directory, ".git"));
      },
    ],
  ])("is not guessed where %s", async (_, harm) => {
    writeFileSync(path.join(root, "package.json"), '{ "version": "0.1.0" }');
    repository(root);
    harm(root);
    await expect(describeIn(root)).rejects.toMatchObject({
      code: "git-failed",
      hint: expect.stringContaining("--iso-version"),
    });
  });

  it("is package.json's in a repository to which nothing was committed yet", async () => {
    writeFileSync(path.join(root, "package.json"), '{ "version": "0.1.0" }');
    git(root, "init", "-q", "-b", "main");
    expect(await describeIn(root)).toBe("0.1.0");
    expect(await sourceDateEpoch(hostOf(root), "overlay-src")).toBe(`${undated}`);
  });

  it("is said to lack a tag in a clone that is shallow", async () => {
    const origin = path.join(root, "origin");
    repository(origin);
    git(origin, "tag", "v0.9.3");
    git(origin, "commit", "-q", "--allow-empty", "-m", "two");
    git(root, "clone", "-q", "--depth", "1", `file://${encodeURI(origin)}`, "shallow");
    const version = await describeIn(path.join(root, "shallow"));
    expect(version).toMatch(/^0\.0\.0\+g/);
    expect(notes).toEqual([expect.stringContaining("--unshallow")]);
    expect(await describeIn(origin)).toMatch(/^0\.9\.3\+1-g/);
    expect(notes).toEqual([]);
  });

  it("comes with the time of the same repository's commit", async () => {
    const project = path.join(root, "their project");
    repository(path.join(root, "ours"));
    repository(project);
    git(project, "-c", "core.editor=true", "commit", "-q", "--amend", "--no-edit", "--date=@1500000000");
    const date = { ...env, GIT_COMMITTER_DATE: "@1500000000 +0200" };
    execFileSync(
      "git",
      [
        ...["-C", project, "-c", "user.name=tests", "-c", "user.email=tests@localhost"],
        ...["commit", "-q", "--amend", "--no-edit"],
      ],
      { env: date },
    );
    expect(await sourceDateEpoch(hostOf(path.join(root, "ours")), project)).toBe("1500000000");
  });

  it("comes with a fixed time without git, whatever the times of files, and that is said", async () => {
    writeFileSync(path.join(root, "file"), "text\n");
    expect(await sourceDateEpoch(hostOf(root), "overlay-src")).toBe(`${undated}`);
    expect(notes).toEqual([expect.stringContaining("1980-01-01")]);
  });

  it("comes with a commit's time that an image can hold, or none", async () => {
    repository(root);
    execFileSync(
      "git",
      [
        ...["-C", root, "-c", "user.name=tests", "-c", "user.email=tests@localhost"],
        ...["commit", "-q", "--amend", "--no-edit"],
      ],
      { env: { ...env, GIT_COMMITTER_DATE: "@10000000000 +0000" } },
    );
    await expect(sourceDateEpoch(hostOf(root), "overlay-src")).rejects.toMatchObject({
      code: "epoch-invalid",
      message: expect.stringContaining("10000000000"),
      hint: expect.stringContaining("--source-date-epoch"),
    });
  });

  it.each(["0.9.3", "0.9.3.1", "1.0.0+4-gabc1234-dirty", "2024~rc1"])("may be %s", (text) => {
    expect(isVersion(text)).toBe(true);
  });

  it.each(["", "1/2", "-1", "a b", "1\n", "ä1", "x".repeat(65), "..", "$(id)"])("may not be %j", (text) => {
    expect(isVersion(text)).toBe(false);
  });

  it.each<readonly [string, VersionPart, string]>([
    ["0.9.3", "patch", "0.9.4"],
    ["0.9.3", "minor", "0.10.0"],
    ["0.9.3", "major", "1.0.0"],
    ["0.9.3", "beta", "0.9.4-beta.1"],
    ["0.9.3.1", "patch", "0.9.4"],
    ["1.2", "patch", "1.2.1"],
    ["0.9.3+2-gabc1234-dirty", "patch", "0.9.4"],
    ["0.9.4-beta.1", "beta", "0.9.4-beta.2"],
    ["0.9.4+beta9", "beta", "0.9.4-beta.10"],
    ["0.9.4+beta.1-2-gabc1234", "beta", "0.9.4-beta.2"],
    ["0.9.4-beta.2", "patch", "0.9.4"],
    ["0.9.4-rc1", "beta", "0.9.5-beta.1"],
    ["1.0.0-beta.2", "major", "1.0.0"],
    ["1.1.0-beta.2", "minor", "1.1.0"],
    ["1.1.0-beta.2", "major", "2.0.0"],
    ["0.0.0+g1234567", "minor", "0.1.0"],
    ["0.0.0+gabc1234", "patch", "0.0.1"],
  ])("%s is followed by its next %s version: %s", (from, part, to) => {
    expect(nextVersion(from, part)).toBe(to);
    expect(isVersion(to)).toBe(true);
  });

  it.each(["deadbeef", "20231111", "2024~rc1"])("%s has no number to raise", (from) => {
    expect(() => nextVersion(from, "patch")).toThrow(expect.objectContaining({ code: "version-invalid" }));
  });
});
