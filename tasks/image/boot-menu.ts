/** The boot menu: Core's isolinux.cfg, with a shorter wait. */
import { existsSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../../src/errors/index.ts";
import {
  type BootLabel,
  type BootMenu,
  contentSize,
  type FileTree,
  interpretMenu,
  readContent,
  readStatements,
  type Statement,
} from "../../src/formats/index.ts";

/** Maximum bytes of a boot loader's file: menus have hundreds, isolinux.bin some forty thousand. */
const largest = 4 * 1024 * 1024;

/**
 * A file of the Core ISO's boot loader; `isolinux` is its directory (absolute). Throws a `UserError` where it is missing
 * or far too large.
 */
export async function readLoaderFile(isolinux: string, name: string): Promise<Buffer> {
  const file = path.join(isolinux, name);
  const where = `boot/isolinux/${name}`;
  try {
    const { size } = await stat(file);
    if (size <= largest) return await readContent({ kind: "file", path: file, offset: 0, size });
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(systemErrorCode(cause) ?? "")) throw cause;
    throw new UserError(`the Core ISO has no ${where}, so its image would not boot`, {
      code: "no-boot-loader",
      where,
      hint: "use the ISO of a Tiny Core release",
      cause,
    });
  }
  throw new UserError(`the Core ISO's ${where} has more than ${largest} bytes, too many for a boot loader`, {
    code: "no-boot-loader",
    where,
    hint: "use the ISO of a Tiny Core release",
  });
}

/** Tenths of a second that the menu waits: Core's 300 are long for a machine that nobody watches. */
const timeout = 100;

/** Changes `timeout 300` in the menu's text; any other time is the user's choice and stays. */
function adaptTimeout(text: string): string {
  return text.replace(/^(\s*timeout\s+)300\b/gim, `$1${timeout}`);
}

/** Does so in the file (absolute path). */
export async function adaptBootMenu(file: string): Promise<void> {
  const text = await readLoaderFile(path.dirname(file), path.basename(file));
  await writeFile(file, adaptTimeout(text.toString("latin1")), "latin1");
}

/** The menu of the image, and the labels that name files which the ISO does not have. */
interface PresentMenu extends BootMenu {
  readonly broken: readonly BootLabel[];
}

/**
 * The menu of the image, as isolinux would show it, without broken labels; `boot` is the boot directory (absolute), in
 * which included files are looked for.
 */
export async function readBootMenu(boot: string): Promise<PresentMenu> {
  const isThere = (file: string): boolean =>
    !path.posix.relative("/boot", file).startsWith("..") &&
    existsSync(path.join(boot, path.posix.relative("/boot", file)));
  const menu = await readWholeMenu(boot);
  const isWhole = ({ kernel, initrds }: BootLabel): boolean => [kernel, ...initrds].every(isThere);
  return {
    ...menu,
    labels: menu.labels.filter(isWhole),
    broken: menu.labels.filter((label) => !isWhole(label)),
  };
}

async function readWholeMenu(boot: string): Promise<BootMenu> {
  const text = (await readLoaderFile(path.join(boot, "isolinux"), "isolinux.cfg")).toString("latin1");
  return await interpretText(adaptTimeout(text), async (inBoot) => {
    const bytes = readLoaderFile(path.join(boot, path.dirname(inBoot)), path.basename(inBoot));
    return await bytes.catch((error: unknown) => {
      if (error instanceof UserError && error.code === "no-boot-loader") return undefined;
      throw error;
    });
  });
}

/** The menu of an ISO: `tree` has its files, and boot/isolinux/isolinux.cfg among them. */
export async function readMenuOf(tree: FileTree): Promise<BootMenu & { readonly files: readonly string[] }> {
  const files = ["boot/isolinux/isolinux.cfg"];
  const menu = await interpretText(
    (await tree.read("boot/isolinux/isolinux.cfg")).toString("latin1"),
    async (inBoot) => {
      const name = `boot/${inBoot}`;
      const path = tree.has(name) ? name : name.toLowerCase();
      const node = tree.get(path);
      if (node?.type !== "file" || contentSize(node.content) > largest) return undefined;
      files.push(path);
      return await tree.read(path);
    },
  );
  return { ...menu, files: [...new Set(files)] };
}

/** `read` gives another file of the menu by its path in the boot directory; undefined where it is not there. */
async function interpretText(
  text: string,
  read: (inBoot: string) => Promise<Buffer | undefined>,
): Promise<BootMenu> {
  const readOther = async (name: string): Promise<string | undefined> => {
    const inBoot = path.posix.relative("/boot", path.posix.resolve("/boot/isolinux", name));
    if (inBoot === "" || inBoot.startsWith("..")) return undefined;
    return (await read(inBoot))?.toString("latin1");
  };
  const statements = await readStatements(text, readOther);
  const menu = interpretMenu(statements);
  if (menu.otherFiles.length === 0) return menu;
  // menu.txt, USING AN ALTERNATE CONFIGURATION FILE.
  const shown: Statement[] = [];
  for (const name of menu.otherFiles) {
    if (name === "~") shown.push(...statements);
    else shown.push(...(await readStatements((await readOther(name)) ?? "", readOther)));
  }
  return interpretMenu(shown, true);
}
