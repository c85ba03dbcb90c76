/**
 * Boot codes that Tiny Core does not read as they are meant.
 *
 * Source: Core-scripts, etc/init.d/tc-config: a word with `=` is a code if it *begins* with the code's name, so `hostname=x`
 * is read as `host=`; a word without is compared as a whole. usr/bin/tce-setup and etc/init.d/tc-restore.sh read more.
 */
import { nearest } from "../errors/index.ts";
import type { FileTree } from "../formats/index.ts";
import type { ImageFault } from "./image-fault.ts";

/** Codes that take a value, read by the beginning of their names. */
const prefixes = [
  ...[
    "waitusb",
    "lang",
    "kmap",
    "tz",
    "desktop",
    "ntpserver",
    "icons",
    "noicons",
    "user",
    "home",
    "tcvd",
    "opt",
  ],
  ...[
    "swapfile",
    "resume",
    "host",
    "nodhcp",
    "nfsmount",
    "tftplist",
    "httplist",
    "aoe",
    "nbd",
    "mydata",
    "pretce",
  ],
  ...["xvesa", "blacklist", "iso"],
];
/** Codes that take a value, compared as a whole. */
const valued = ["rsyslog", "tce", "lst", "restore", "cde", "local", "bkg"];
/** Codes without a value. */
const flags = [
  ...[
    "nozswap",
    "nofstab",
    "nortc",
    "syslog",
    "noutc",
    "nodhcp",
    "noicons",
    "text",
    "xonly",
    "superuser",
    "noswap",
  ],
  ...[
    "secure",
    "protect",
    "cron",
    "xsetup",
    "laptop",
    "showapps",
    "norestore",
    "noautologin",
    "pause",
    "cde",
    "base",
  ],
  ...["safebackup", "embed", "multivt", "restore", "home", "opt", "swapfile", "waitusb", "checkfs"],
];
/** Parameters of the kernel that begin like a code, or are only a letter away from one (Linux, `kernel-parameters.txt`). */
const ofKernel = new Set([
  "quiet",
  "debug",
  "ro",
  "rw",
  "single",
  "resume",
  "resume_offset",
  "isolcpus",
  "nosmp",
  "noapic",
]);

/** Faults of the arguments that the default entry of a boot menu gives to the kernel; `tree` is what the machine sees. */
export function bootCodeFaults(args: readonly string[], tree: FileTree): readonly ImageFault[] {
  return args.flatMap((word) => faultOf(word, tree) ?? []);
}

function faultOf(word: string, tree: FileTree): ImageFault | undefined {
  const [name = "", ...rest] = word.split("=");
  // What has a dot is a parameter of a module, or of this image's own programs.
  if (ofKernel.has(name) || name.includes(".")) return undefined;
  if (rest.length > 0) {
    const value = rest.join("=");
    const read = prefixes.find((one) => name.startsWith(one));
    if (read !== undefined && name !== read && !valued.includes(name))
      return warn(`boot code ${word} is read as ${read}=${value}`, `write ${read}=${value}, or another name`);
    if (read === undefined) return misspelt(word, name, [...prefixes, ...valued]);
    return missingFile(name, value, tree);
  }
  return flags.includes(name) || prefixes.includes(name) ? undefined : misspelt(word, name, flags);
}

function misspelt(word: string, name: string, known: readonly string[]): ImageFault | undefined {
  if (name.length < 4 || known.includes(name)) return undefined;
  const [near] = nearest(name, known);
  return near === undefined ? undefined : warn(`boot code ${word} is not known`, `did you mean ${near}?`);
}

/** `kmap=` and `lang=` mean files; without them Core passes over the code, or programs use no language. */
function missingFile(name: string, value: string, tree: FileTree): ImageFault | undefined {
  if (name === "kmap" && !tree.has(`usr/share/kmap/${value}.kmap`))
    return {
      severity: "error",
      message: `boot code kmap=${value} needs usr/share/kmap/${value}.kmap, which the image lacks`,
      hint: "add the extension kmaps.tcz, unpacked into the initrd, or the file",
      paths: [],
    };
  if (name === "lang" && !/^(C|POSIX)\b/.test(value) && !hasLocale(value, tree))
    return warn(
      `boot code lang=${value} needs a locale that the image lacks`,
      "add it with getlocale.tcz, or use lang=C",
    );
  return undefined;
}

function hasLocale(value: string, tree: FileTree): boolean {
  const [language = ""] = value.split(".");
  return (
    tree.has("usr/lib/locale/locale-archive") ||
    tree.below("usr/lib/locale").some((path) => path.startsWith(`usr/lib/locale/${language}`))
  );
}

function warn(message: string, hint: string): ImageFault {
  return { severity: "warning", message, hint, paths: [] };
}
