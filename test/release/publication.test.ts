/** Publishing in a directory: whatever ends a publication, `current` leads to a whole release, and the next run completes it. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Destination,
  formatChecksums,
  Publication,
  parseDestination,
  type ReleaseContext,
  sha256Of,
} from "../../src/release/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("rsync", "flock", "sha256sum", "mount", "umount");

/** Programs that a publication runs at its destination. */
const steps = ["mkdir", "rsync", "sha256sum", "sync", "mv", "rm", "ln"];

describe("a publication", () => {
  let root = "";
  let destination: Destination = { directory: "" };
  const notes: string[] = [];
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "release test "));
    destination = { directory: path.join(root, "destination") };
    mkdirSync(destination.directory);
    notes.length = 0;
    // A busy disk takes seconds for each sync, and nothing here is lost with the power.
    mkdirSync(path.join(root, "quick"));
    writeFileSync(path.join(root, "quick/sync"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const programs = (): string => `${path.join(root, "quick")}:${process.env.PATH}`;

  function context(env: Readonly<Record<string, string>> = {}): ReleaseContext {
    return {
      env: { PATH: programs(), ...env },
      signal: new AbortController().signal,
      note: (message) => notes.push(message),
    };
  }

  async function contentOf(id: string, size = 20_000): Promise<string> {
    const directory = path.join(root, `content ${id}`);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    const digests = new Map<string, string>();
    for (const name of ["image.iso", "notes of it.txt"]) {
      writeFileSync(path.join(directory, name), `${id} ${name}\n`.padEnd(size, id));
      digests.set(name, await sha256Of(path.join(directory, name)));
    }
    writeFileSync(path.join(directory, "SHA256SUMS"), formatChecksums(digests));
    return directory;
  }

  async function publish(id: string, directory: string, env: Readonly<Record<string, string>> = {}) {
    const publication = await Publication.open(destination, context(env), `store ${id}`);
    try {
      const { digests, current } = await publication.read(id);
      if (digests === undefined) await publication.add(id, directory);
      if (current !== id) await publication.switchTo(id);
    } finally {
      publication.close();
    }
  }

  /** The release of `current`, as an independent program finds it whole. */
  function currentRelease(): string {
    const current = path.join(destination.directory, "current");
    execFileSync("sha256sum", ["--quiet", "-c", "SHA256SUMS"], { cwd: current });
    return path.basename(readlinkSync(current));
  }

  /** A directory for PATH in which each step counts itself, and at one of them the whole publication is killed. */
  function killerAt(moment: number, when: "before" | "after"): Readonly<Record<string, string>> {
    const bin = path.join(root, "bin");
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    const count = path.join(bin, "count");
    writeFileSync(count, "");
    // The processes between this test and the step are killed, from below.
    const kill = `p=$PPID; while [ "$p" != ${process.pid} ] && [ "$p" -gt 1 ]; do q=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status); kill -9 $p; p=$q; done; exit 1`;
    for (const step of steps) {
      const real = execFileSync("sh", ["-c", `command -v ${step}`], {
        env: { PATH: programs() },
        encoding: "utf8",
      }).trim();
      const isNow = `[ $(wc -l <'${count}') = ${moment} ]`;
      const [before, after] =
        when === "before" ? [`if ${isNow}; then ${kill}; fi`, ""] : ["", `if $now; then ${kill}; fi`];
      writeFileSync(
        path.join(bin, step),
        `#!/bin/sh\necho ${step} >>'${count}'\nnow=false; if ${isNow}; then now=true; fi\n${before}\n'${real}' "$@"; s=$?\n${after}\nexit $s\n`,
      );
      chmodSync(path.join(bin, step), 0o755);
    }
    return { PATH: `${bin}:${programs()}` };
  }

  it("makes a release that sha256sum, rsync and readlink find where current leads", async () => {
    const directory = await contentOf("1.0.0");
    await publish("1.0.0", directory);
    expect(currentRelease()).toBe("1.0.0");
    const release = path.join(destination.directory, "releases/1.0.0");
    const compare = ["--recursive", "--checksum", "--dry-run", "--itemize-changes", "--delete", "--no-times"];
    expect(execFileSync("rsync", [...compare, `${directory}/`, `${release}/`], { encoding: "utf8" })).toBe(
      "",
    );
    expect(
      readdirSync(path.join(destination.directory, "releases")).filter((name) => !name.startsWith(".")),
    ).toEqual(["1.0.0"]);
    expect(statSync(path.join(release, "image.iso")).mode & 0o777).toBe(0o644);
  });

  it("that is killed before or after any of its steps leaves the old release whole, and the next run completes it", async () => {
    await publish("1.0.0", await contentOf("1.0.0"));
    const directory = await contentOf("1.1.0");
    const seen = new Set<string>();
    for (const when of ["before", "after"] as const) {
      for (let moment = 1; ; moment += 1) {
        const env = killerAt(moment, when);
        const ended = await publish("1.1.0", directory, env).then(
          () => "whole",
          () => "killed",
        );
        for (const line of readFileSync(path.join(root, "bin/count"), "utf8").split("\n")) seen.add(line);
        const found = currentRelease();
        expect(["1.0.0", "1.1.0"]).toContain(found);
        await publish("1.1.0", directory);
        expect(currentRelease(), `${when} step ${moment}`).toBe("1.1.0");
        // Back to the state before, for the next moment.
        execFileSync("ln", ["-sfn", "releases/1.0.0", path.join(destination.directory, "current")]);
        rmSync(path.join(destination.directory, "releases/1.1.0"), { recursive: true });
        if (ended === "whole") break;
        expect(found, `${when} step ${moment}`).toBe(when === "after" && moment === 9 ? "1.1.0" : "1.0.0");
      }
    }
    expect([...seen].filter((line) => line !== "").sort()).toEqual([...steps].sort());
  });

  it("continues with what a broken copy left, and publishes none of its remains", async () => {
    const directory = await contentOf("1.0.0");
    const partial = path.join(destination.directory, "releases/1.0.0.partial");
    mkdirSync(partial, { recursive: true });
    writeFileSync(path.join(partial, "image.iso"), "half");
    writeFileSync(path.join(partial, ".image.iso.x7Yz01"), "half");
    await publish("1.0.0", directory);
    expect(readdirSync(path.join(destination.directory, "releases/1.0.0")).sort()).toEqual(
      readdirSync(directory).sort(),
    );
    expect(currentRelease()).toBe("1.0.0");
  });

  it("waits for another one there, and says which", async () => {
    const first = await Publication.open(destination, context(), "store 1.0.0");
    const opening = Publication.open(destination, context(), "store 1.1.0");
    await expect.poll(() => notes, { timeout: 20_000 }).toHaveLength(1);
    expect(notes[0]).toMatch(
      new RegExp(`^waiting for store 1\\.0\\.0 \\(process ${process.pid} on .+\\), which publishes there$`),
    );
    const isOpen = await Promise.race([opening.then(() => true), first.read("1.0.0").then(() => false)]);
    expect(isOpen).toBe(false);
    first.close();
    (await opening).close();
  });

  it("to a full destination fails with the reason, and leaves the old release", async () => {
    const { status } = spawnSync("mount", [
      ...["-t", "tmpfs", "-o", "size=256k", "tmpfs", destination.directory],
    ]);
    // Only root may mount.
    if (status !== 0) return;
    try {
      await publish("1.0.0", await contentOf("1.0.0"));
      const large = await contentOf("1.1.0", 400_000);
      await expect(publish("1.1.0", large)).rejects.toMatchObject({
        code: "store-full",
        where: destination.directory,
        hint: expect.stringContaining("free space"),
      });
      expect(currentRelease()).toBe("1.0.0");
      await publish("1.1.0", await contentOf("1.1.0", 1000));
      expect(currentRelease()).toBe("1.1.0");
    } finally {
      spawnSync("umount", ["-l", destination.directory]);
    }
  });

  it("is refused where there is no directory, or current is none of its own", async () => {
    const missing = { directory: path.join(root, "missing") };
    await expect(Publication.open(missing, context(), "store 1")).rejects.toMatchObject({
      code: "store-failed",
    });
    expect(existsSync(missing.directory)).toBe(false);
    mkdirSync(path.join(destination.directory, "current"));
    await expect(Publication.open(destination, context(), "store 1")).rejects.toMatchObject({
      code: "store-destination",
    });
    expect(lstatSync(path.join(destination.directory, "current")).isDirectory()).toBe(true);
  });

  it("is told apart by host and directory as rsync does (rsync(1), GENERAL)", () => {
    const local = (directory: string) => `/here/${directory}`;
    expect(parseDestination("out/a:b", local)).toEqual({ directory: "/here/out/a:b" });
    expect(parseDestination("me@host:/srv/x y", local)).toEqual({ host: "me@host", directory: "/srv/x y" });
    expect(parseDestination("host:", local)).toEqual({ host: "host", directory: "." });
    for (const text of ["", "host::module", "rsync://host/module", "-oProxyCommand=x:y", "a\nb"])
      expect(() => parseDestination(text, local), text).toThrow(
        expect.objectContaining({ code: "store-destination" }),
      );
  });
});
