/** A given overlay whose repository names programs: asking git for the version runs none of them. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import { describeVersion } from "../../tasks/settings/git-version.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("git");

const workspace = useWorkspace();
let count = 0;
let place = "";
const at = (name: string): string => path.join(place, name);
const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", GIT_CONFIG_NOSYSTEM: "1" };

/** Git as somebody runs it who looks at none of this. */
function git(folder: string, ...args: readonly string[]): string {
  const settings = ["user.name=tests", "user.email=tests@localhost", "protocol.file.allow=always"];
  const all = ["-C", folder, ...settings.flatMap((one) => ["-c", one]), ...args];
  const options = {
    env: { ...env, HOME: at("home") },
    encoding: "utf8",
    stdio: "pipe",
  } as const;
  return execFileSync("git", all, options).trim();
}

function repository(name: string): string {
  const folder = at(name);
  mkdirSync(folder, { recursive: true });
  git(folder, "init", "-q", "-b", "main");
  writeFileSync(path.join(folder, "file"), "text\n");
  writeFileSync(path.join(folder, ".gitattributes"), "file filter=odd\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "one");
  git(folder, "tag", "v6.6");
  return folder;
}

/** Another time than git has noted, so that it has to look into the file. */
let time = 0;
const touch = (folder: string): void => {
  time += 1;
  utimesSync(path.join(folder, "file"), time, time);
};

async function ask(folder: string): Promise<string> {
  return await describeVersion(
    {
      root: at("work space"),
      env: { ...env, HOME: at("home") },
      variant: "dev",
      value: () => {
        throw new Error("no other value is asked for");
      },
      note: () => {},
      dependsOn: () => {},
    },
    folder,
  );
}

/** A program that leaves a mark with its first argument, and copies its input. */
let program = "";
const marks = (): readonly string[] => readdirSync(at("marks"));

beforeEach(() => {
  count += 1;
  place = workspace.path(`case ${count}`);
  for (const folder of ["work space", "home", "marks"]) mkdirSync(at(folder), { recursive: true });
  program = at("program");
  writeFileSync(program, `#!/bin/sh\n: > '${at("marks")}/'"$1"\nexec cat\n`);
  chmodSync(program, 0o755);
  program = `'${program}'`;
});

describe("the repository of a given overlay", () => {
  const odd: Readonly<Record<string, (folder: string) => void>> = {
    "a filter": (folder) => {
      git(folder, "config", "filter.odd.clean", `${program} clean`);
      git(folder, "config", "filter.odd.required", "true");
    },
    "a hook": (folder) => {
      const hook = path.join(folder, ".git/hooks/post-index-change");
      mkdirSync(path.dirname(hook), { recursive: true });
      writeFileSync(hook, `#!/bin/sh\n: > '${at("marks")}/hook'\n`);
      chmodSync(hook, 0o755);
    },
    "a file system monitor": (folder) => {
      git(folder, "config", "core.fsmonitor", `${program} monitor`);
    },
  };
  for (const [name, prepare] of Object.entries(odd)) {
    test(`has its version told, and ${name} of its own not run`, async () => {
      const folder = repository("overlay");
      prepare(folder);
      touch(folder);
      expect(await ask(folder)).toBe("6.6");
      expect(marks()).toEqual([]);
      touch(folder);
      git(folder, "describe", "--dirty", "--always");
      expect(marks(), "git by itself runs it").not.toEqual([]);
    });
  }

  test("has no filter run that keeps talking (filter.process)", async () => {
    const folder = repository("overlay");
    git(folder, "config", "filter.odd.process", `${program} process`);
    touch(folder);
    expect(await ask(folder)).toBe("6.6");
    expect(marks()).toEqual([]);
  });

  test("has no filter of a submodule run, named in .gitmodules or not", async () => {
    repository("library");
    const folder = repository("overlay");
    git(folder, "submodule", "add", "-q", at("library"), "library");
    git(folder, "commit", "-q", "-m", "two");
    git(folder, "tag", "v7.7");
    git(path.join(folder, "library"), "config", "filter.odd.clean", `${program} clean`);
    touch(path.join(folder, "library"));
    expect(await ask(folder)).toBe("7.7");
    git(folder, "rm", "-q", "--cached", ".gitmodules");
    rmSync(path.join(folder, ".gitmodules"));
    git(folder, "commit", "-q", "-m", "three");
    git(folder, "tag", "v8.8");
    touch(path.join(folder, "library"));
    expect(await ask(folder)).toBe("8.8");
    expect(marks()).toEqual([]);
  });

  test("with a submodule that was not fetched has its version told", async () => {
    repository("library");
    const origin = repository("origin");
    git(origin, "submodule", "add", "-q", at("library"), "library");
    git(origin, "commit", "-q", "-m", "two");
    git(origin, "tag", "v7.7");
    git(place, "clone", "-q", origin, at("overlay"));
    expect(await ask(at("overlay"))).toBe("7.7");
  });

  test("that lacks an object is an error, and no program is asked to bring it", async () => {
    const folder = repository("overlay");
    const tree = git(folder, "rev-parse", "HEAD^{tree}");
    rmSync(path.join(folder, ".git/objects", tree.slice(0, 2), tree.slice(2)));
    const settings = {
      "remote.odd.url": `ext::${at("program").replaceAll(" ", "% ")} transport`,
      "remote.odd.promisor": "true",
      "extensions.partialClone": "odd",
      "core.repositoryFormatVersion": "1",
      "protocol.ext.allow": "always",
    };
    for (const [name, value] of Object.entries(settings)) git(folder, "config", name, value);
    const error: unknown = await ask(folder).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: "git-failed", where: path.join(folder, ".git") });
    expect(marks()).toEqual([]);
  });

  test("is compared with the help of the user's own filters", async () => {
    const folder = repository("overlay");
    git(folder, "config", "filter.odd.clean", `${program} own`);
    git(folder, "config", "--global", "filter.odd.clean", `${program} users`);
    touch(folder);
    expect(await ask(folder)).toBe("6.6");
    expect(marks()).toEqual(["users"]);
    expect(existsSync(path.join(folder, ".git/index.lock"))).toBe(false);
  });
});
