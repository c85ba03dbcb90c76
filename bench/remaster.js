// A Core remastered: from nothing but the fetched files, with one extension more, with one boot code more; and the old way to the same.
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { measure } from "./harness/measurement.js";
import { missingTools } from "./harness/old-way.js";
import { emptyPlace } from "./harness/place.js";
import { show } from "./harness/table.js";
import { openWorkspace } from "./harness/workspace.js";

const program = fileURLToPath(new URL("harness/old-remaster.sh", import.meta.url));

const settings = [
  "cc = loglevel=4",
  "app_outside_initrd_onboot = bash.tcz",
  "app_outside_initrd_onboot = lshw.tcz",
  "app_extract_initrd = util-linux.tcz",
  "app_extract_initrd = perl5.tcz",
  "extract_tcz_script = ignore",
];

/** The steps that a remaster runs on what is fetched. */
const steps = ["payload", "overlay", "tables", "template"].map((name) => `remaster-${name}`);

/** @param {import("./run.js").Options} options */
export async function run({ runs = 5 }) {
  const missing = await missingTools();
  const workspace = await openWorkspace("sample");
  const cwd = workspace.root;
  const directory = await emptyPlace("remaster");
  const config = path.join(directory, "ezremaster.cfg");
  const changed = path.join(directory, "changed.cfg");
  await writeFile(config, `${settings.join("\n")}\n`);
  await writeFile(changed, "");
  /** @param {string} file @param {string[]} more */
  const task = (file, ...more) => workspace.task("remaster", "--source", "sample", "--config", file, ...more);
  await workspace.build(...task(config).slice(2));
  const out = path.join(cwd, ".buildcache/v1/out");
  await mkdir(path.join(directory, "extensions"));
  await cp(
    path.join(out, "dev/remaster-extensions/extracted"),
    path.join(directory, "extensions/extracted"),
    {
      recursive: true,
    },
  );
  await cp(path.join(out, "dev/remaster-extensions/root/cde"), path.join(directory, "extensions/cde"), {
    recursive: true,
  });
  const iso = path.join(out, "shared/fetch-iso/Core-current.iso");

  /** Every run has another line, so that no result of an earlier one is in the cache. @param {string} line */
  const change = (line) => ["bash", "-c", `(cat ${quote(config)}; ${line}) > ${quote(changed)}`];
  const extensions = "dmidecode procps fuse openssl ncurses ruby";
  const another = `set -- ${extensions}; n=$(cat ${quote(directory)}/n 2>/dev/null || echo 0); echo $((n + 1)) > ${quote(directory)}/n; shift $((n % $#)); echo "app_outside_initrd_onboot = $1.tcz"; echo "cc = run=$(date +%N)"`;
  const forced = steps.flatMap((step) => ["--force", step]);
  const warm = await measure(
    [
      { name: "cold: every step on the fetched files", command: task(config, ...forced), cwd },
      { name: "one extension more", command: task(changed), cwd, prepare: change(another) },
      {
        name: "one boot code more",
        command: task(changed),
        cwd,
        prepare: change('echo "cc = run=$(date +%N)"'),
      },
    ],
    { runs },
  );
  const old =
    missing.length > 0
      ? []
      : await measure(
          [
            {
              name: "the old way",
              command: [
                "bash",
                program,
                iso,
                path.join(directory, "extensions"),
                path.join(directory, "work"),
                "cde",
              ],
              cwd,
              runs: 1,
            },
          ],
          { runs: 1, warmup: 0 },
        );
  await show("remaster", {
    title: "Core with two extensions in cde/ and two extracted, sample source",
    aim: "cold at least 5 × faster than the old way, one extension more 50 ×, one boot code more 100 ×",
    reference: "the old way",
    rows: [...warm, ...old],
    facts: missing.length === 0 ? [] : [`the old way needs ${missing.join(", ")}`],
  });
}

/** @param {string} word */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
