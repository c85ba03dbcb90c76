// From a fresh clone to a bootable ISO: brings what is missing, builds from the sample source, says what was made and
// how to boot it. Arguments go on to the build. It knows of the build only what the command line prints.
import path from "node:path";
import { toolsOfBuild } from "./build-tools.mjs";
import { runChild } from "./child.mjs";
import { root, runScript, say, setUp } from "./setup.mjs";
import { isInstalled } from "./tool-table.mjs";

const emulator = "qemu-system-x86_64";

await runScript(async () => {
  const startedAt = performance.now();
  const args = ["iso", "--source", "sample", ...process.argv.slice(2)];
  await setUp(() => toolsOfBuild(args));
  say(`all that is needed is there; running ./bin/task.js ${args.join(" ")}`);
  const task = path.join(root, "bin/task.js");
  const { status, output } = await runChild(process.execPath, [task, ...args], {
    cwd: root,
    output: "errors-shown",
  });
  const iso = findIso(output);
  // Another target's result, or help, is shown as it is.
  if (status !== 0 || iso === undefined) process.stdout.write(output);
  else process.stdout.write(summarise(iso, (performance.now() - startedAt) / 1000));
  return status;
});

/**
 * @typedef {object} Iso
 * @property {string} file Absolute path.
 * @property {string} size For people.
 * @property {string} sha256
 * @property {string} version
 */

/**
 * The ISO's line of the build's summary: path, size and digest, with two blanks between.
 * @param {string} output
 * @returns {Iso | undefined}
 */
function findIso(output) {
  const line = /^(.*rz_mk_[a-z]+-image\.(.+)\.iso) {2}(.+) {2}sha256 ([0-9a-f]{64})$/m.exec(output);
  const [, file, version, size, sha256] = line ?? [];
  if (file === undefined || version === undefined || size === undefined || sha256 === undefined)
    return undefined;
  return { file: path.resolve(root, file), version, size, sha256 };
}

/**
 * @param {Iso} iso
 * @param {number} seconds
 */
function summarise({ file, size, sha256, version }, seconds) {
  const lines = [
    "",
    `image    ${file}`,
    `size     ${size}`,
    `sha256   ${sha256}`,
    `version  ${version}`,
    `time     ${formatTime(seconds)}`,
    "",
    "Boot it in this terminal; Ctrl-A, then X, ends the machine:",
    `  ${emulator} -m 1024 -boot d -cdrom ${quote(file)} -nographic -nic user,model=virtio-net-pci`,
  ];
  if (!isInstalled(emulator)) lines.push(`${emulator} is not installed: on Debian it is in qemu-system-x86.`);
  return `${lines.join("\n")}\n`;
}

/** @param {number} seconds */
function formatTime(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * One word for a POSIX shell.
 * @param {string} text
 */
function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
