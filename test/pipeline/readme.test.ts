/** README in the ISO, from the project's template: by a build, by a bundle's own scripts, and by a build of the bundle. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { addLocalSource, sampleMirror } from "./local-source.ts";
import {
  commandEnvironment,
  makeDirectory,
  makeWorkspace,
  openWorkspace,
  removeDirectory,
  type Workspace,
} from "./workspace.ts";

usesPrograms("xorriso", "tar", "sha256sum");

describe("README of an ISO", () => {
  let directory = "";
  let workspace: Workspace;
  let server: Server;
  const options = ["--prod", "--source", "local", "--iso-version", "1.2.0"];
  const build = ["iso", "bundle", ...options];
  const iso = "build-files/rz_mk_prod-image.1.2.0.iso";

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["fetch-iso", "--source", "sample"]);
    directory = await makeDirectory("readme");
    server = await serveDirectory(sampleMirror(built));
    workspace = await makeWorkspace(directory, "the workspace");
    await addLocalSource(workspace, server.url, sampleMirror(built));
  }, 600_000);

  afterAll(async () => {
    await server?.close();
    await removeDirectory(directory);
  });

  const extracted = async (from: string, name: string): Promise<string> => {
    const to = path.join(
      directory,
      `extracted ${path.basename(path.dirname(from))}${name.replace("/", " ")}`,
    );
    spawnSync("rm", ["-rf", to]);
    const args = ["-osirrox", "on", "-indev", from, "-extract", name, to];
    execFileSync("xorriso", args, { stdio: "ignore" });
    return to;
  };

  it("is not there without a template, and `readme` says how to begin one", async () => {
    await workspace.build(build);
    const { stdout } =
      await workspace.$`xorriso -indev ${workspace.path(iso)} -find / -maxdepth 1 2>/dev/null`;
    expect(stdout).toContain("/COPYING");
    expect(stdout).not.toContain("README");
    const { status, stderr } = await workspace.task(["readme", ...options]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /no template of README.*\[readme-missing\]\n.*\n.*hint: task readme --edit begins one/,
    );
  });

  it("is begun in the user's editor, which is followed by what a build would run", async () => {
    const editor = path.join(directory, "the editor");
    await writeFile(editor, '#!/bin/sh\nsed -i "1s/^/The image: /" "$1"\n', { mode: 0o755 });
    const env = commandEnvironment({ EDITOR: `'${editor}'` });
    const edited = await workspace.task(["readme", "--edit", ...options], { env });
    expect(edited.status, edited.stderr).toBe(0);
    expect(edited.stdout).toMatch(/^a build would run:\n {2}iso-template\n {2}rebuild-iso/);
    expect(await readFile(workspace.path("image-src/README"), "utf8")).toMatch(/^The image: \{\{version\}\}/);
    await writeFile(editor, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const failed = await workspace.task(["readme", "--edit", ...options], { env });
    expect(failed.stderr).toMatch(/the editor .* failed: status 3.*\[editor-failed\]/);
  });

  it("has version, date and digests that sha256sum finds on the ISO; of extensions, too", async () => {
    await workspace.build(build);
    const text = await readFile(await extracted(workspace.path(iso), "/README"), "utf8");
    expect(text).toMatch(/^The image: 1\.2\.0 \(prod\), \d{4}-\d\d-\d\d\n/);
    expect((await workspace.build(["readme", ...options])).stdout).toBe(text);
    const kernel = await extracted(workspace.path(iso), "/boot/vmlinuz64");
    const sum = execFileSync("sha256sum", { input: await readFile(kernel), encoding: "utf8" }).split(" ")[0];
    expect(text).toContain(`${sum}  vmlinuz64\n`);
    expect(text).toMatch(/^[0-9a-f]{64} {2}\S+\.tcz$/m);
    expect(text).toMatch(/^[0-9a-f]{64} {2}\S+\.gem$/m);
  });

  it("is the same from the bundle's scripts and from `--bundle`, but for the version that they are given", async () => {
    const text = await readFile(await extracted(workspace.path(iso), "/README"), "utf8");
    const bundle = workspace.path("build-files/razor-microkernel-bundle-prod.tar.gz");
    const place = path.join(directory, "unpacked bundle");
    await mkdir(place);
    execFileSync("tar", ["xzf", bundle, "-C", place]);
    execFileSync("sh", ["-c", "./build_initial_directories.sh && ./rebuild_iso.sh 1.3.0"], {
      cwd: place,
      stdio: "ignore",
    });
    const scripted = await extracted(path.join(place, "rz_mk_prod-image.1.3.0.iso"), "/README");
    expect(await readFile(scripted, "utf8")).toBe(text.replace("1.2.0", "1.3.0"));
    await workspace.build(["iso", "--bundle", bundle, "--prod", "--iso-version", "1.4.0"]);
    const rebuilt = workspace.path("build-files/rz_mk_prod-image.1.4.0.iso");
    expect(await readFile(await extracted(rebuilt, "/README"), "utf8")).toBe(text.replace("1.2.0", "1.4.0"));
  });

  it("fails a build, with the line, for a field that does not exist; the old ISO stays", async () => {
    await writeFile(workspace.path("image-src/README"), "{{version}}\n{{kernels}}\n");
    const { status, stderr } = await workspace.task(build);
    expect(status).toBe(1);
    expect(stderr).toMatch(/there is no field \{\{kernels\}\}.*\[readme-field\]/);
    expect(stderr).toContain("image-src/README:2");
    await extracted(workspace.path(iso), "/README");
  });
});
