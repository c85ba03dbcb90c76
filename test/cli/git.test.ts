/** A version that comes from git: commits and checkouts while a build runs, and while a watch waits. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { checkout, demo, put, runTask, startTask } from "./workshop.ts";

usesPrograms("git");

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end();
});

const tasksFile = (root: string) => `
import { readFileSync, writeFileSync } from "node:fs";
import { files, out, param, task } from "${path.relative(path.join(root, "tasks"), path.join(checkout, "src/engine/index.ts"))}";
import { describeVersion } from "${path.relative(path.join(root, "tasks"), path.join(checkout, "tasks/settings/git-version.ts"))}";
export const isoVersion = param.text({
  name: "iso-version", value: "VERSION", description: "", default: (host) => describeVersion(host, "in"),
});
export const image = task({
  name: "image", description: "Make the image", params: { isoVersion }, tools: ["sh", "git"], passEnv: ["HOME"],
  inputs: { tree: files("**", { root: "in" }) },
  outputs: { image: out.artifact(({ value }) => \`build/image.\${value(isoVersion)}.txt\`) },
  run: async ({ $, inputs, outputs, params }) => {
    await $\`sh \${inputs.tree.root}/script\`;
    writeFileSync(outputs.image, \`\${params.isoVersion}: \${readFileSync(inputs.tree.root + "/name", "utf8")}\`);
  },
});
`;

/** A workspace in git, tagged v1; what is built is ignored. */
function project() {
  const root = demo();
  put(root, "tasks/all.ts", tasksFile(root));
  const engine = path.relative(root, path.join(checkout, "src/engine/index.ts"));
  put(
    root,
    "Taskfile.ts",
    `import { taskfile } from "./${engine}";
import { image, isoVersion } from "./tasks/all.ts";
export default taskfile({ title: "Demo", version: isoVersion, targets: [image], variants: { dev: { description: "", flags: [] } } });
`,
  );
  put(root, ".gitignore", "build\n.buildcache\n.put\n");
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=tests", "-c", "user.email=tests@localhost", ...args], {
      cwd: root,
      encoding: "utf8",
    }).trim();
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-q", "-m", "one");
  git("tag", "v1");
  const built = (): readonly string[] => readdirSync(path.join(root, "build")).sort();
  const read = (version: string): string =>
    readFileSync(path.join(root, `build/image.${version}.txt`), "utf8").trim();
  return { root, git, built, read };
}

describe("the version of what is built", () => {
  it("is that of the checkout when the build ends, also where a commit came while it ran", async () => {
    const { root, git, built, read } = project();
    put(
      root,
      "in/script",
      `cd '${root}' && test -e .git/done || {
  touch .git/done
  git -c user.name=tests -c user.email=tests@localhost commit -q --allow-empty -m two && git tag v2
}
`,
    );
    git("commit", "-q", "-a", "-m", "with a script");
    git("tag", "-f", "v1");
    const run = await runTask(root, ["image"]);
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(run.stderr).toContain("note: iso-version changed while the build ran: building again");
    expect(run.stdout).toContain("build/image.2.txt");
    expect(built()).toEqual(["image.2.txt"]);
    expect(read("2")).toBe("2: World");
  });

  it("and what commits concern are asked of this repository, also in the hook of another one", async () => {
    const { root, git } = project();
    const other = project();
    put(root, "in/name", "Changed\n");
    git("commit", "-q", "-a", "-m", "two");
    git("tag", "v2");
    const env = { GIT_DIR: path.join(other.root, ".git"), GIT_WORK_TREE: other.root };
    const version = await runTask(root, ["image", "-n"], env);
    expect(version.stderr + version.stdout).not.toContain("error");
    const affected = await runTask(root, ["affected", "--since", "v1"], env);
    expect(affected, affected.stderr).toMatchObject({ status: 0, stdout: "image\n" });
  });

  it("is followed by a watch that waits, through checkouts, commits, tags and changes of other files, as why sees it", async () => {
    const { root, git, read } = project();
    git("checkout", "-q", "-b", "side");
    put(root, "in/name", "Side\n");
    git("commit", "-q", "-a", "-m", "side");
    git("tag", "v7");
    git("checkout", "-q", "main");
    const { child, done } = startTask(root, ["image", "--watch", "--json"]);
    open.push(async () => {
      child.kill("SIGKILL");
      await done;
    });
    const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
    /** The image's version and text, when a cycle has ended that made it of this version. */
    const reaches = async (version: string): Promise<string> => {
      for (;;) {
        const { value, done: over } = await lines.next();
        if (over === true) throw new Error(`ended before ${version}: ${(await done).stderr}`);
        const event = JSON.parse(value) as { type: string; artifacts?: readonly { path: string }[] };
        if (event.type !== "cycle-finished") continue;
        if (event.artifacts?.[0]?.path === `build/image.${version}.txt`) return read(version);
      }
    };
    expect(await reaches("1")).toBe("1: World");
    git("checkout", "-q", "side");
    expect(await reaches("7")).toBe("7: Side");
    git("checkout", "-q", "main");
    expect(await reaches("1")).toBe("1: World");
    git("commit", "-q", "--allow-empty", "-m", "two");
    const two = `1+1-g${git("rev-parse", "HEAD").slice(0, 7)}`;
    expect(await reaches(two)).toBe(`${two}: World`);
    put(root, ".gitignore", "build\n.buildcache\n.put\nmore\n");
    expect(await reaches(`${two}-dirty`)).toBe(`${two}-dirty: World`);
    git("commit", "-q", "-a", "-m", "three");
    git("tag", "v3");
    expect(await reaches("3")).toBe("3: World");
    const why = await runTask(root, ["why", "image"]);
    expect(why.stdout).toContain("fresh");
    child.kill("SIGINT");
    await done;
  });
});
