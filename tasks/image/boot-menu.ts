/** The boot menu: Core's isolinux.cfg, with a shorter wait. */
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode, UserError } from "../../src/errors/index.ts";
import { readContent } from "../../src/formats/index.ts";
import { type BootMenu, interpretMenu } from "./boot-labels.ts";
import { readStatements } from "./menu-statements.ts";

/** Maximum bytes of a boot loader's file: menus have hundreds, isolinux.bin some forty thousand. */
const largest = 4 * 1024 * 1024;

/** A file of the Core ISO's boot loader; `isolinux` is its folder (absolute). Throws a `UserError` where it is missing or far too large. */
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
export function adaptTimeout(text: string): string {
  return text.replace(/^(\s*timeout\s+)300\b/gim, `$1${timeout}`);
}

/** Does so in the file (absolute path). */
export async function adaptBootMenu(file: string): Promise<void> {
  const text = await readLoaderFile(path.dirname(file), path.basename(file));
  await writeFile(file, adaptTimeout(text.toString("latin1")), "latin1");
}

/** The menu of the image, as isolinux would show it; `boot` is the boot folder (absolute), in which included files are looked for. */
export async function readBootMenu(boot: string): Promise<BootMenu> {
  const isolinux = path.join(boot, "isolinux");
  const text = (await readLoaderFile(isolinux, "isolinux.cfg")).toString("latin1");
  return interpretMenu(
    await readStatements(adaptTimeout(text), async (name) => {
      const inBoot = path.posix.relative("/boot", path.posix.resolve("/boot/isolinux", name));
      if (inBoot === "" || inBoot.startsWith("..")) return undefined;
      const read = readLoaderFile(path.join(boot, path.dirname(inBoot)), path.basename(inBoot));
      return await read.then(
        (bytes) => bytes.toString("latin1"),
        (error: unknown) => {
          if (error instanceof UserError && error.code === "no-boot-loader") return undefined;
          throw error;
        },
      );
    }),
  );
}
