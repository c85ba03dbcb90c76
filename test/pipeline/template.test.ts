/** The template: the booted machine's files as a tarball and as an OCI image, which container tools unpack and start. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { openWorkspace, version, type Workspace } from "./workspace.ts";

usesPrograms("sha256sum", "skopeo", "tar", "umoci", "unshare");

describe("the template of a dev image", () => {
  let workspace: Workspace;
  const scratch = mkdtempSync(path.join(tmpdir(), "template test "));
  const name = `build-files/rz_mk_dev-template.${version}`;

  beforeAll(async () => {
    workspace = await openWorkspace();
    await workspace.build(["template", "--oci", "--source", "sample"]);
  }, 600_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const listing = () =>
    execFileSync("tar", ["--numeric-owner", "-tvzf", workspace.path(`${name}.tar.gz`)], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    }).trimEnd();
  const names = () =>
    listing()
      .split("\n")
      .map((line) => line.replace(/^(\S+\s+){5}/, "").replace(/ (->|link to) .*/, ""));

  it("has the root on top, owners as numbers, and the files that the booted machine sees", async () => {
    const [first] = listing().split("\n");
    expect(first).toMatch(/^drwxr-xr-x 0\/0 .* \.\/$/);
    const iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
    const seen = (await workspace.build(["ls", iso, "--recursive", "--json"])).stdout;
    const entries = (JSON.parse(seen) as { entries: { path: string }[] }).entries.map((entry) => entry.path);
    const left = (one: string): boolean =>
      /^tmp\/(builtin|tinycorelinux)(\/|$)|etc\/ssh\/ssh_host_/.test(one);
    const there = new Set(names().map((one) => one.replace(/\/$/, "")));
    expect(entries.length).toBeGreaterThan(2000);
    expect(entries.filter((one) => !left(one) && !there.has(one))).toEqual([]);
    expect(entries.some(left)).toBe(true);
  });

  it("holds no key, log, machine id or packed extension", () => {
    const secrets = /ssh_host_|machine-id$|^var\/log\/.|\.tcz$|history$/;
    expect(names().filter((one) => secrets.test(one))).toEqual([]);
  });

  it("is an OCI image that skopeo describes, and umoci unpacks to a system with a shell and its programs", () => {
    // Their names of images end at a colon and take no blanks.
    execFileSync("cp", ["-a", workspace.path(`${name}.oci`), path.join(scratch, "layout")]);
    const run = (command: string) =>
      execFileSync("sh", ["-c", command], {
        cwd: scratch,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    expect(JSON.parse(run("skopeo inspect oci:layout:latest"))).toMatchObject({
      Architecture: "amd64",
      Os: "linux",
      Created: "2020-09-13T12:26:40Z",
      Labels: { "org.opencontainers.image.version": version },
    });
    run("umoci unpack --rootless --image layout:latest bundle");
    const started = run(
      "unshare --map-root-user --mount chroot bundle/rootfs /bin/sh -c 'id -u; cat /tmp/mk-version.yaml; ruby -e \"puts 6 * 7\"'",
    );
    expect(started).toMatch(new RegExp(`^0\\n[\\s\\S]*${version}[\\s\\S]*\\n42\\n$`));
  });

  it("has the same bytes when it is made again, and says what it leaves out", async () => {
    const sums = async (): Promise<string> =>
      execFileSync("sha256sum", [workspace.path(`${name}.tar.gz`), ...(await blobs())], { encoding: "utf8" });
    const blobs = async (): Promise<readonly string[]> => {
      const directory = workspace.path(`${name}.oci/blobs/sha256`);
      return (await readdir(directory)).sort().map((one) => path.join(directory, one));
    };
    const before = await sums();
    const again = await workspace.build(["template", "--oci", "--source", "sample", "--force", "template"]);
    expect(again.stderr).toMatch(/note: the template does not have the image's .*ssh host keys \(\d+\)/);
    expect(await sums()).toBe(before);
  });
});
