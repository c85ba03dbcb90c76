/** An apt that knows the tests' own packages and no others, from a repository on disk. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Shell } from "../../src/host/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("dpkg-deb");

export interface PackageText {
  readonly name: string;
  readonly version?: string;
  readonly architecture?: string;
  readonly depends?: string;
  readonly provides?: string;
  readonly postinst?: string;
  /** Other files of the control archive, by name. */
  readonly control?: Readonly<Record<string, string>>;
  /** Path → text; `-> target` makes a link. Everything below `bin` is executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** Path → mode, where it is another than the usual. */
  readonly modes?: Readonly<Record<string, number>>;
}

export interface Apt {
  /** Variables that make apt use this repository. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes these the only packages that apt knows. */
  offer(...packages: readonly PackageText[]): Promise<void>;
}

/** Opens an apt of its own in `directory` (absolute; made). */
export async function openApt($: Shell, directory: string): Promise<Apt> {
  const at = (name: string): string => path.join(directory, name);
  for (const name of ["debs", "lists/partial", "cache/archives/partial"]) {
    await mkdir(at(name), { recursive: true });
  }
  await writeFile(at("status"), "");
  await writeFile(at("sources.list"), `deb [trusted=yes] file:${at("debs").replaceAll(" ", "%20")} ./\n`);
  const settings = [
    `Dir::State "${directory}";`,
    `Dir::State::lists "${at("lists")}";`,
    `Dir::State::status "${at("status")}";`,
    `Dir::Cache "${at("cache")}";`,
    `Dir::Etc::sourcelist "${at("sources.list")}";`,
    `Dir::Etc::sourceparts "${at("nothing")}";`,
    'APT::Sandbox::User "root";',
  ];
  await writeFile(at("apt.conf"), settings.join("\n"));
  const env = { APT_CONFIG: at("apt.conf") };
  return {
    env,
    async offer(...packages) {
      await rm(at("debs"), { recursive: true, force: true });
      await mkdir(at("debs"));
      const records: string[] = [];
      for (const text of packages) {
        const file = await makePackage($, at(`trees/${text.name}`), at("debs"), text);
        const bytes = await readFile(file);
        const { stdout } = await $`dpkg-deb --field ${file}`;
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        const name = path.basename(file);
        records.push(`${stdout.trim()}\nFilename: ./${name}\nSize: ${bytes.length}\nSHA256: ${sha256}\n`);
      }
      await writeFile(at("debs/Packages"), records.join("\n"));
      await $({ env: { ...process.env, ...env } })`apt-get update`;
    },
  };
}

async function makePackage($: Shell, tree: string, out: string, text: PackageText): Promise<string> {
  const { name, version = "1.0-1", architecture = "all", files = {}, modes = {} } = text;
  await rm(tree, { recursive: true, force: true });
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Maintainer: nobody",
    ...(text.depends === undefined ? [] : [`Depends: ${text.depends}`]),
    ...(text.provides === undefined ? [] : [`Provides: ${text.provides}`]),
    `Description: the package ${name}`,
    " And its long description.",
    "",
  ].join("\n");
  const scripts: Record<string, string> = {};
  for (const [at, content] of Object.entries(text.control ?? {})) scripts[`DEBIAN/${at}`] = content;
  if (text.postinst !== undefined) scripts["DEBIAN/postinst"] = text.postinst;
  for (const [at, content] of Object.entries({ "DEBIAN/control": control, ...scripts, ...files })) {
    const file = path.join(tree, at);
    await mkdir(path.dirname(file), { recursive: true });
    if (content.startsWith("-> ")) {
      await symlink(content.slice(3), file);
      continue;
    }
    await writeFile(file, content);
    await chmod(file, modes[at] ?? (/(^|\/)s?bin\/|\/(pre|post)inst$/.test(at) ? 0o755 : 0o644));
  }
  const file = path.join(out, `${name}_${version.replace(":", "%3a")}_${architecture}.deb`);
  await $`find ${tree} -type d -exec chmod 755 ${"{}"} +`;
  // The same text makes the same package.
  await $({
    env: { ...process.env, SOURCE_DATE_EPOCH: "1600000000" },
  })`dpkg-deb --root-owner-group -Zgzip --build ${tree} ${file}`;
  return file;
}
