/**
 * What an isolinux.cfg offers: its labels that start a kernel with an initrd, and what starts when nobody chooses. It knows
 * nothing of what is made of them.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt`, `doc/isolinux.txt` and `doc/menu.txt`.
 */
import { UserError } from "../errors/index.ts";
import type { Statement } from "./menu-statements.ts";

export interface BootLabel {
  readonly name: string;
  /** What a menu shows. */
  readonly title: string;
  /** Absolute paths on the ISO. */
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly args: readonly string[];
  /** Whether a menu offers it. */
  readonly isOffered: boolean;
  /** Whether menu.c32 asks for a password before it starts the label (menu.txt, MENU PASSWD). */
  readonly hasPassword: boolean;
}

export interface BootMenu {
  /** In the order of the file. */
  readonly labels: readonly BootLabel[];
  /** The label, or else the command line, that starts when nobody chooses; undefined where the menu has nothing to start. */
  readonly automatic: BootLabel | string | undefined;
  /** Seconds until then; -1 for ever. */
  readonly seconds: number;
  /** Whether the menu is shown only when a key is pressed. */
  readonly isHidden: boolean;
  /** Whether menu.c32 asks for a password before its entries are edited (menu.txt, MENU MASTER PASSWD). */
  readonly hasMasterPassword: boolean;
  /** Files that a menu system reads instead of these statements; `~` stands for these. */
  readonly otherFiles: readonly string[];
}

/** A LABEL clause as it is written. */
interface Clause {
  readonly name: string;
  readonly isInSubmenu: boolean;
  kernel?: string | undefined;
  append?: string;
  initrd?: string;
  title?: string;
  isDefault?: boolean;
  isHidden?: boolean;
  hasPassword?: boolean;
  /** Whether it starts a menu system, and no kernel. */
  isMenu?: boolean;
}

const isolinuxDirectory = "/boot/isolinux";

/** Files that isolinux does not start as Linux, by their names (syslinux.cfg.txt, KERNEL-LIKE DIRECTIVES). */
const notLinux = /\.(c32|com|cbt|bin|bs|bss|img|0)$/i;
const menuProgram = /menu\.c32$/i;
const otherPrograms: ReadonlySet<string> = new Set(
  "boot bss comboot com32 config fdimage localboot pxe".split(" "),
);

/**
 * Interprets the statements of an isolinux.cfg, which lies in `directory` of the ISO (absolute there); `isShown` says that a menu
 * system reads them, whatever they are.
 */
export function interpretMenu(
  statements: readonly Statement[],
  isShown = false,
  directory = isolinuxDirectory,
): BootMenu {
  const clauses: Clause[] = [];
  const globals = new Map<string, string>();
  let clause: Clause | undefined;
  let depth = 0;
  for (const { keyword, value } of statements) {
    if (keyword === "label") {
      clause = { name: firstWord(value), isInSubmenu: depth > 0 };
      clauses.push(clause);
    } else if (keyword === "menu begin" || keyword === "menu end" || keyword === "menu separator") {
      if (keyword !== "menu separator") depth = Math.max(0, depth + (keyword === "menu begin" ? 1 : -1));
      clause = undefined;
    } else if (clause === undefined || !describe(clause, keyword, value)) {
      // A submenu may have a time and a title of its own.
      if (depth === 0) globals.set(keyword, value);
    }
  }
  const labels = clauses
    .filter(isFirstOfName)
    .flatMap((one) => labelOf(one, directory, globals.get("append")) ?? []);
  const start = findStart(clauses, globals, isShown);
  return {
    ...resolveStart(labels, start.command, directory, globals.get("append")),
    seconds: start.seconds,
    isHidden: start.isMenu && globals.has("menu hidden"),
    hasMasterPassword: statements.some(
      ({ keyword, value }) => keyword === "menu master" && firstWord(value).toLowerCase() === "passwd",
    ),
    otherFiles: start.otherFiles,
  };
}

/** The label that starts when nobody chooses; the first where that starts no kernel. Throws a `UserError` without labels. */
export function defaultLabel({ labels, automatic }: BootMenu): BootLabel {
  const label = typeof automatic === "object" ? automatic : labels[0];
  if (label !== undefined) return label;
  throw new UserError("the boot menu has no label with a kernel and an initrd", {
    code: "boot-menu",
    where: "boot/isolinux/isolinux.cfg",
    hint: "use the ISO of a Tiny Core release",
  });
}

/** Takes a statement into its LABEL clause; false for one that is for the whole menu. The last of several counts. */
function describe(clause: Clause, keyword: string, value: string): boolean {
  if (keyword === "linux") clause.kernel = value;
  else if (keyword === "kernel" && !notLinux.test(firstWord(value))) clause.kernel = value;
  else if (keyword === "kernel" || otherPrograms.has(keyword)) {
    clause.kernel = undefined;
    clause.isMenu = /menu(\.c32)?$/i.test(firstWord(value));
  } else if (keyword === "append") clause.append = value;
  else if (keyword === "initrd") clause.initrd = value;
  else if (keyword === "menu label") clause.title = value.replace("^", "");
  else if (keyword === "menu default") clause.isDefault = true;
  else if (keyword === "menu hide" || keyword === "menu disable") clause.isHidden = true;
  else if (keyword === "menu passwd") clause.hasPassword = true;
  else return false;
  return true;
}

/** "Currently the first instance is used" (syslinux.cfg.txt, LABEL). */
function isFirstOfName(clause: Clause, index: number, clauses: readonly Clause[]): boolean {
  return clauses.findIndex(({ name }) => name === clause.name) === index;
}

/** `common` is the APPEND of the whole menu, for labels without one; a single hyphen there stands for nothing. */
function labelOf(clause: Clause, directory: string, common = ""): BootLabel | undefined {
  const append = (clause.append ?? common).trim();
  const command = `${clause.kernel ?? ""} ${append === "-" ? "" : append}`;
  const started = commandOf(
    clause.initrd === undefined ? command : `${command} initrd=${clause.initrd.replace(/\s/g, "")}`,
    directory,
  );
  if (clause.kernel === undefined || started === undefined) return undefined;
  const title = clause.title ?? clause.name;
  const hasPassword = clause.hasPassword === true;
  return { name: clause.name, title, isOffered: clause.isHidden !== true, hasPassword, ...started };
}

/** A command line taken apart; undefined where it has no kernel or no initrd. Only the last `initrd=` counts. */
function commandOf(
  command: string,
  directory: string,
): Pick<BootLabel, "kernel" | "initrds" | "args"> | undefined {
  const [kernel, ...words] = wordsOf(command);
  const initrds = words
    .findLast((word) => word.startsWith(initrdWord))
    ?.slice(initrdWord.length)
    .split(",")
    .filter((one) => one !== "");
  if (kernel === undefined || initrds === undefined || initrds.length === 0) return undefined;
  const args = words.filter((word) => !word.startsWith(initrdWord));
  return { kernel: onIso(kernel, directory), initrds: initrds.map((one) => onIso(one, directory)), args };
}

const initrdWord = "initrd=";

/** What starts when nobody chooses, as the menu system or else the prompt has it. */
function findStart(clauses: readonly Clause[], globals: ReadonlyMap<string, string>, isShown: boolean) {
  const named = globals.get("default");
  const program = menuOf(clauses, globals);
  const isMenu = isShown || program !== undefined;
  const common = { isMenu, otherFiles: isShown ? [] : wordsOf(program ?? "") };
  const tenths = (keyword: string): number => Number(/^\d+/.exec(globals.get(keyword) ?? "")?.[0] ?? 0);
  const limited = tenths("timeout") || tenths("totaltimeout");
  const waiting = limited > 0 ? Math.ceil(limited / 10) : -1;
  const onTimeout = waiting > 0 ? globals.get("ontimeout") : undefined;
  if (isMenu) {
    const offered = clauses.filter(({ isHidden }) => isHidden !== true);
    const top = offered.some(({ isInSubmenu }) => !isInSubmenu)
      ? offered.filter(({ isInSubmenu }) => !isInSubmenu)
      : offered;
    // Only with UI does DEFAULT name an entry of the menu (menu.txt, DEFAULT).
    const byDefault = globals.has("ui") ? offered.find(({ name }) => name === named) : undefined;
    const entry = byDefault ?? top.findLast(({ isDefault }) => isDefault === true) ?? top[0];
    return { ...common, seconds: waiting, command: onTimeout ?? entry?.name };
  }
  // Without DEFAULT there is nothing to start, so the prompt is shown (syslinux.cfg.txt, DEFAULT).
  const isPrompt = named === undefined || globals.get("prompt") === "1";
  const command = (isPrompt ? onTimeout : undefined) ?? named;
  return { ...common, seconds: isPrompt ? waiting : 0, command };
}

/** The arguments of the menu system that is shown; undefined where there is none. */
function menuOf(clauses: readonly Clause[], globals: ReadonlyMap<string, string>): string | undefined {
  const command = globals.get("ui") ?? globals.get("default") ?? "";
  const [program = "", ...words] = wordsOf(command);
  if (globals.has("ui") || menuProgram.test(program)) return words.join(" ");
  const started = clauses.find(({ name }) => name === program);
  return started?.isMenu === true ? (started.append ?? "") : undefined;
}

/** The command that starts by itself among the labels: options after a label's name are for that start. */
function resolveStart(
  labels: readonly BootLabel[],
  command: string | undefined,
  directory: string,
  common = "",
): Pick<BootMenu, "labels" | "automatic"> {
  if (command === undefined) return { labels, automatic: undefined };
  const [name = "", ...options] = wordsOf(command);
  const label = labels.find((one) => one.name === name);
  if (label !== undefined) {
    const automatic = options.length === 0 ? label : { ...label, args: [...label.args, ...options] };
    return { labels: labels.map((one) => (one === label ? automatic : one)), automatic };
  }
  const started = commandOf(`${name} ${common} ${options.join(" ")}`, directory);
  if (started === undefined || notLinux.test(name)) return { labels, automatic: command };
  const automatic = { name, title: name, isOffered: true, hasPassword: false, ...started };
  return { labels: [automatic, ...labels], automatic };
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function firstWord(text: string): string {
  return wordsOf(text)[0] ?? "";
}

/** isolinux looks for a name without directories beside its configuration. */
export function onIso(file: string, directory = isolinuxDirectory): string {
  return file.startsWith("/") ? file : `${directory}/${file}`;
}
