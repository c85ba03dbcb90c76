/**
 * The boot menu of UEFI machines, made from that of BIOS machines: what is edited there counts here too.
 * It knows nothing of where either is kept.
 *
 * Sources: syslinux `doc/syslinux.txt` and `doc/isolinux.txt` (the configuration file); the GNU GRUB manual, 6.1 (quoting).
 */

interface Label {
  readonly name: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly args: readonly string[];
}

/** GRUB's `grub.cfg` for what an `isolinux.cfg` says: every label that starts a kernel with an initrd. */
export function grubMenu(isolinuxConfig: string): string {
  const labels = readLabels(isolinuxConfig);
  const chosen = settingOf(isolinuxConfig, "default");
  const entry = Math.max(
    0,
    labels.findIndex(({ name }) => name === chosen?.split(/\s+/)[0]),
  );
  return [
    `set default=${entry}`,
    `set timeout=${secondsToWait(isolinuxConfig)}`,
    ...labels.flatMap(({ name, kernel, initrds, args }) => [
      `menuentry ${quote(name)} {`,
      `  linux ${[kernel, ...args].map(quote).join(" ")}`,
      `  initrd ${initrds.map(quote).join(" ")}`,
      "}",
    ]),
    "",
  ].join("\n");
}

function readLabels(text: string): readonly Label[] {
  return text
    .split(/^[ \t]*label[ \t]+/im)
    .slice(1)
    .flatMap((block): readonly Label[] => {
      const name = (block.split("\n")[0] ?? "").trim();
      const kernel = (settingOf(block, "kernel") ?? settingOf(block, "linux"))?.split(/\s+/)[0];
      const words = (settingOf(block, "append") ?? "").split(/\s+/).filter((word) => word !== "");
      const inAppend = words.find((word) => word.startsWith("initrd="))?.slice("initrd=".length);
      const initrds = (settingOf(block, "initrd") ?? inAppend ?? "").split(",").filter((one) => one !== "");
      if (kernel === undefined || initrds.length === 0) return [];
      const args = words.filter((word) => !word.startsWith("initrd="));
      return [{ name, kernel: inBoot(kernel), initrds: initrds.map(inBoot), args }];
    });
}

/** The value of a keyword. Those that are for the whole menu may stand behind labels too. */
function settingOf(text: string, keyword: string): string | undefined {
  return new RegExp(`^[ \\t]*${keyword}[ \\t]+(.*)$`, "im").exec(text)?.[1]?.trim();
}

/** isolinux looks for a name without folders beside its configuration. */
function inBoot(file: string): string {
  return file.startsWith("/") ? file : `/boot/isolinux/${file}`;
}

/** isolinux counts tenths of a second and waits for ever at 0; without a prompt it does not wait at all. */
function secondsToWait(text: string): number {
  if ((settingOf(text, "prompt") ?? "0") === "0") return 0;
  const tenths = Number(settingOf(text, "timeout") ?? "0");
  return Number.isInteger(tenths) && tenths > 0 ? Math.ceil(tenths / 10) : -1;
}

function quote(word: string): string {
  return /^[\w/.:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
