// An RPM tree of 50 packages, to its ISO: one package more, nothing changed, the release of it published again; and the same tree by dnf,
// createrepo_c and xorriso from nothing.
import { randomBytes } from "node:crypto";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { checkout, emptyPlace, environment, settle, shell } from "./harness/place.js";
import { show } from "./harness/table.js";

const size = 50;
/** Each run adds another one, which no earlier run has added. */
const spare = 40;

/** @param {import("./run.js").Options} options */
export async function run({ runs = 7 }) {
  const directory = await emptyPlace("release");
  const repository = await makeRepository(directory);
  const project = path.join(directory, "project");
  const program = path.join(checkout, "bin/task.js");
  const $ = shell({ cwd: directory, env: environment() });
  await $`${process.execPath} ${program} init --flavour rpm ${project}`;
  const boot = await makeBootFiles(path.join(directory, "boot"));
  await writeFile(
    path.join(project, "lists/repositories.yaml"),
    `bench:\n  url: ${repository}\n  gpgcheck: false\n  metadata-signature: false\n`,
  );
  const list = path.join(project, "lists/packages.lst");
  const names = Array.from({ length: size + spare }, (_, index) => `bench-${index + 1}`);
  await writeFile(path.join(project, "lists/groups.lst"), "");
  await writeFile(list, `${names.slice(0, size).join("\n")}\n`);
  const fixed = ["--iso-version", "1.0.0", "--source-date-epoch", "1600000000"];
  const task = (/** @type {string[]} */ ...words) => [process.execPath, program, ...words, ...fixed];
  const inProject = shell({ cwd: project, env: environment() });
  await inProject`${task("import", boot)}`;
  await settle(async () => await inProject`${task("iso")}`);
  const target = path.join(directory, "published");
  await mkdir(target);
  await inProject`${task("store", "--to", target)}`;

  const next = `n=$(cat n 2>/dev/null || echo ${size}); n=$((n + 1)); echo $n >n`;
  const another = `cd ${quote(directory)} && ${next}; (seq -f bench-%g ${size}; echo bench-$n) >${quote(list)}`;
  const original = `seq -f bench-%g ${size} >${quote(list)}`;
  const byHand = path.join(directory, "by-hand.sh");
  await writeFile(byHand, handScript({ directory, repository, boot }));
  await chmod(byHand, 0o755);
  const reference = "dnf, createrepo_c and xorriso from nothing";
  const rows = await measure(
    [
      { name: reference, command: ["sh", byHand], cwd: directory },
      { name: "one package more", command: task("iso"), cwd: project, prepare: ["bash", "-c", another] },
    ],
    { runs },
  );
  await shell({ cwd: directory })`bash -c ${original}`;
  await settle(async () => await inProject`${task("iso")}`);
  const before =
    await $`sh -c ${`find ${quote(target)} -type f ! -name .owner -printf '%p %i %C@\n' | sort`}`;
  const unchanged = await measure(
    [
      { name: "nothing changed", command: task("iso"), cwd: project },
      { name: "store of the same release", command: task("store", "--to", target), cwd: project },
    ],
    { runs },
  );
  const after = await $`sh -c ${`find ${quote(target)} -type f ! -name .owner -printf '%p %i %C@\n' | sort`}`;
  await show("release", {
    title: `an RPM tree of ${size} packages, to its ISO`,
    aim: "one package more at least 5 × faster than from nothing; a release that is there moves no byte",
    reference,
    rows: [...rows, ...unchanged],
    facts: [
      before.stdout === after.stdout
        ? "store wrote no file of the published release"
        : "store wrote files of the published release again",
    ],
  });
}

/** RPMs of half a megabyte that does not compress and some hundred small files, and their metadata. @param {string} directory */
async function makeRepository(directory) {
  const repository = path.join(directory, "repository");
  const packages = path.join(repository, "Packages");
  await mkdir(packages, { recursive: true });
  const all = Array.from({ length: size + spare }, (_, index) => index + 1);
  const install = `for n in $(seq ${all.length}); do d=%{buildroot}/opt/bench-$n; mkdir -p $d/files; head -c 500000 /dev/urandom >$d/data; for f in $(seq 100); do echo $n $f >$d/files/$f; done; done`;
  const spec = [
    ...["Name: bench", "Version: 1", "Release: 1", "Summary: bench", "License: MIT", "BuildArch: noarch"],
    ...["%description", "bench"],
    ...all.flatMap((n) => [
      ...[`%package -n bench-${n}`, "Summary: bench"],
      ...(n % 5 === 1 ? [] : [`Requires: bench-${n - 1}`]),
      ...[`%description -n bench-${n}`, "bench", `%files -n bench-${n}`, `/opt/bench-${n}`],
    ]),
    ...["%install", install],
  ];
  await writeFile(path.join(directory, "bench.spec"), `${spec.join("\n")}\n`);
  const defines = [
    ...["--define", `_topdir ${directory}/rpmbuild`, "--define", `_rpmdir ${packages}`],
    ...["--define", "_rpmfilename %%{NAME}-%%{VERSION}.%%{ARCH}.rpm", "--define", "__os_install_post %{nil}"],
  ];
  const $ = shell({ cwd: directory });
  await $`rpmbuild -bb --quiet ${defines} bench.spec`;
  await $`createrepo_c --quiet --no-database ${repository}`;
  return repository;
}

/** As large as a small distribution's, with the host's isolinux. @param {string} boot */
async function makeBootFiles(boot) {
  for (const name of ["isolinux", "images/pxeboot"]) await mkdir(path.join(boot, name), { recursive: true });
  await copyFile("/usr/lib/ISOLINUX/isolinux.bin", path.join(boot, "isolinux/isolinux.bin"));
  await writeFile(path.join(boot, "isolinux/isolinux.cfg"), "default linux\n");
  await writeFile(path.join(boot, "images/pxeboot/vmlinuz"), randomBytes(8_000_000));
  await writeFile(path.join(boot, "images/pxeboot/initrd.img"), randomBytes(30_000_000));
  const images = "kernel = images/pxeboot/vmlinuz\ninitrd = images/pxeboot/initrd.img\n";
  await writeFile(path.join(boot, ".treeinfo"), `[images-x86_64]\n${images}`);
  return boot;
}

/**
 * The same tree and ISO with the programs alone.
 * @param {{ directory: string, repository: string, boot: string }} places
 */
function handScript({ directory, repository, boot }) {
  return `set -e
cd ${quote(directory)}
rm -rf hand && mkdir -p hand/tree/Packages hand/root
cat >hand/dnf.conf <<EOF
[main]
reposdir=/dev/null
gpgcheck=0
cachedir=${directory}/hand/cache
metadata_expire=0
[bench]
name=bench
baseurl=file://${repository}
EOF
dnf -q -y -c hand/dnf.conf --installroot="$PWD/hand/root" --releasever=/ download --resolve --alldeps --destdir=hand/tree/Packages $(seq -f bench-%g ${size})
createrepo_c --quiet --no-database -g ${quote(path.join(directory, "project/comps.xml"))} hand/tree
cp -r ${quote(boot)}/. hand/tree/
xorriso -as mkisofs -quiet -o hand/image.iso -V hand -r -J -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \\
  -boot-load-size 4 -boot-info-table hand/tree >hand/log 2>&1
implantisomd5 --force hand/image.iso >hand/log
`;
}

/** @param {string} word */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
