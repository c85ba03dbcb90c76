/** Building RPMs whose bytes depend on their spec and sources only. */
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import type { Shell } from "../../src/host/index.ts";

interface RpmBuild {
  readonly $: Shell;
  /** Absolute paths: the spec, the directory with its sources, that for the packages, and an empty one for rpmbuild. */
  readonly spec: string;
  readonly sources: string;
  readonly target: string;
  readonly scratch: string;
  /** A directory (absolute) with the files already in place, for specs without %install. */
  readonly buildroot?: string;
  /** Seconds since 1970: the build's time, and the latest time of a file. */
  readonly epoch: number;
  /** Values of macros for the spec, by name. */
  readonly macros?: Readonly<Record<string, string>>;
}

/** Macros that would otherwise bring this machine into a package (rpm's macros file; rpm, "Reproducible builds"). */
const reproducible: Readonly<Record<string, string>> = {
  _buildhost: "localhost",
  use_source_date_epoch_as_buildtime: "1",
  clamp_mtime_to_source_date_epoch: "1",
  source_date_epoch_from_changelog: "0",
  _binary_payload: "w9.gzdio",
  _build_id_links: "none",
  // Programs that this machine may have or not, which strip and compress what they find.
  __os_install_post: "%{nil}",
  debug_package: "%{nil}",
  _rpmfilename: "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
};

/**
 * Builds the binary packages of a spec into `target`.
 * @throws UserError `rpm-build` with the last lines of the log
 */
export async function buildRpm(build: RpmBuild): Promise<void> {
  const { $, spec, scratch, buildroot, epoch } = build;
  for (const name of ["BUILD", "RPMS", "SRPMS"]) await mkdir(path.join(scratch, name), { recursive: true });
  // Scripts of specs do not quote %{buildroot}, so its path must have no blanks, whatever the project's has.
  const links = await mkdtemp(path.join(tmpdir(), "razor-mk-rpm-"));
  try {
    const places = { _topdir: scratch, _sourcedir: build.sources, _rpmdir: build.target };
    for (const [name, directory] of Object.entries(places)) await symlink(directory, path.join(links, name));
    const linked = Object.fromEntries(Object.keys(places).map((name) => [name, path.join(links, name)]));
    const macros = { ...build.macros, ...reproducible, ...linked };
    const defines = Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
    const root = buildroot === undefined ? [] : ["--buildroot", buildroot];
    const quiet = $({ nothrow: true });
    const { exitCode, stdout, stderr } =
      await quiet`env SOURCE_DATE_EPOCH=${epoch} rpmbuild -bb --target x86_64 ${root} ${defines} ${spec}`;
    if (exitCode !== 0) throw buildFailure(spec, `${stdout}\n${stderr}`);
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}

function buildFailure(spec: string, log: string): UserError {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  return new UserError(`rpmbuild failed:\n${lines.slice(-12).join("\n")}`, {
    code: "rpm-build",
    where: path.basename(spec),
    hint: "correct the spec; task spec shows it as it is built",
  });
}
