/** The version of an image: from git where there is one to be had, and never one that a file name cannot hold. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ParameterHost } from "../../src/engine/index.ts";
import { describeVersion, isVersion } from "../../tasks/settings/git-version.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C" };

describe("the version of a build", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "version test "));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function git(folder: string, ...args: readonly string[]): string {
    const settings = [
      "-c",
      "user.name=tests",
      "-c",
      "user.email=tests@localhost",
      "-c",
      "protocol.file.allow=always",
    ];
    return execFileSync("git", ["-C", folder, ...settings, ...args], { env, encoding: "utf8" }).trim();
  }

  /** A repository with one commit; returns the commit as git abbreviates it. */
  function repository(folder: string): string {
    mkdirSync(folder, { recursive: true });
    git(folder, "init", "-q", "-b", "main");
    writeFileSync(path.join(folder, "file"), "text\n");
    git(folder, "add", "file");
    git(folder, "commit", "-q", "-m", "one");
    return git(folder, "rev-parse", "--short", "HEAD");
  }

  function describeIn(folder: string, overlay = "overlay-src"): Promise<string> {
    const host: ParameterHost = {
      root: folder,
      env,
      variant: "dev",
      value: () => {
        throw new Error("no other value is asked for");
      },
      note: () => {},
      lookedAt: () => {},
    };
    return describeVersion(host, overlay);
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

  it.each(["0.9.3", "0.9.3.1", "1.0.0+4-gabc1234-dirty", "2024~rc1"])("may be %s", (text) => {
    expect(isVersion(text)).toBe(true);
  });

  it.each(["", "1/2", "-1", "a b", "1\n", "ä1", "x".repeat(65), "..", "$(id)"])("may not be %j", (text) => {
    expect(isVersion(text)).toBe(false);
  });
});
