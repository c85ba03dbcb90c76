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
function git(directory: string, ...args: readonly string[]): string {
  const settings = ["user.name=tests", "user.email=tests@localhost", "protocol.file.allow=always"];
  const all = ["-C", directory, ...settings.flatMap((one) => ["-c", one]), ...args];
  const options = {
    env: { ...env, HOME: at("home") },
    encoding: "utf8",
    stdio: "pipe",
  } as const;
  return execFileSync("git", all, options).trim();
}

function repository(name: string): string {
  const directory = at(name);
  mkdirSync(directory, { recursive: true });
  git(directory, "init", "-q", "-b", "main");
  writeFileSync(path.join(directory, "file"), "text\n");
  writeFileSync(path.join(directory, ".gitattributes"), "file filter=odd\n");
  git(directory, "add", ".");
  git(directory, "commit", "-q", "-m", "one");
  git(directory, "tag", "v6.6");
  return directory;
}

/** Another time than git has noted, so that it has to look into the file. */
let time = 0;
const touch = (directory: string): void => {
  time += 1;
  utimesSync(path.join(directory, "file"), time, time);
};

async function ask(directory: string): Promise<string> {
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
    directory,
  );
}

/** A program that leaves a mark with its first argument, and copies its input. */
let program = "";
const marks = (): readonly string[] => readdirSync(at("marks"));

beforeEach(() => {
  count += 1;
  place = workspace.path(`case ${count}`);
  for (const directory of ["work space", "home", "marks"]) mkdirSync(at(directory), { recursive: true });
  program = at("program");
  writeFileSync(program, `#!/bin/sh\n: > '${at("marks")}/'"$1"\nexec cat\n`);
  chmodSync(program, 0o755);
  program = `'${program}'`;
});

describe("the repository of a given overlay", () => {
  const odd: Readonly<Record<string, (directory: string) => void>> = {
    "a filter": (directory) => {
      git(directory, "config", "filter.odd.clean", `${program} clean`);
      git(directory, "config", "filter.odd.required", "true");
    },
    "a hook": (directory) => {
      const hook = path.join(directory, ".git/hooks/post-index-change");
      mkdirSync(path.dirname(hook), { recursive: true });
      writeFileSync(hook, `#!/bin/sh\n: > '${at("marks")}/hook'\n`);
      chmodSync(hook, 0o755);
    },
    "a file system monitor": (directory) => {
      git(directory, "config", "core.fsmonitor", `${program} monitor`);
    },
  };
  for (const [name, prepare] of Object.entries(odd)) {
    test(`has its version told, and ${name} of its own not run`, async () => {
      const directory = repository("overlay");
      prepare(directory);
      touch(directory);
      expect(await ask(directory)).toBe("6.6");
      expect(marks()).toEqual([]);
      touch(directory);
      git(directory, "describe", "--dirty", "--always");
      expect(marks(), "git by itself runs it").not.toEqual([]);
    });
  }

  test("has no filter run that keeps talking (filter.process)", async () => {
    const directory = repository("overlay");
    git(directory, "config", "filter.odd.process", `${program} process`);
    touch(directory);
    expect(await ask(directory)).toBe("6.6");
    expect(marks()).toEqual([]);
  });

  test("has no filter of a submodule run, named in .gitmodules or not", async () => {
    repository("library");
    const directory = repository("overlay");
    git(directory, "submodule", "add", "-q", at("library"), "library");
    git(directory, "commit", "-q", "-m", "two");
    git(directory, "tag", "v7.7");
    git(path.join(directory, "library"), "config", "filter.odd.clean", `${program} clean`);
    touch(path.join(directory, "library"));
    expect(await ask(directory)).toBe("7.7");
    git(directory, "rm", "-q", "--cached", ".gitmodules");
    rmSync(path.join(directory, ".gitmodules"));
    git(directory, "commit", "-q", "-m", "three");
    git(directory, "tag", "v8.8");
    touch(path.join(directory, "library"));
    expect(await ask(directory)).toBe("8.8");
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
    const directory = repository("overlay");
    const tree = git(directory, "rev-parse", "HEAD^{tree}");
    rmSync(path.join(directory, ".git/objects", tree.slice(0, 2), tree.slice(2)));
    const settings = {
      "remote.odd.url": `ext::${at("program").replaceAll(" ", "% ")} transport`,
      "remote.odd.promisor": "true",
      "extensions.partialClone": "odd",
      "core.repositoryFormatVersion": "1",
      "protocol.ext.allow": "always",
    };
    for (const [name, value] of Object.entries(settings)) git(directory, "config", name, value);
    const error: unknown = await ask(directory).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: "git-failed", where: path.join(directory, ".git") });
    expect(marks()).toEqual([]);
  });

  test("is compared with the help of the user's own filters", async () => {
    const directory = repository("overlay");
    git(directory, "config", "filter.odd.clean", `${program} own`);
    git(directory, "config", "--global", "filter.odd.clean", `${program} users`);
    touch(directory);
    expect(await ask(directory)).toBe("6.6");
    expect(marks()).toEqual(["users"]);
    expect(existsSync(path.join(directory, ".git/index.lock"))).toBe(false);
  });
});
