/** The newest ISO that this project built. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";

/** The newest ISO in `build-files/`, of this variant where it is not the default one. Throws a `UserError` when there is none. */
export async function newestIso(workspace: string, variant: string): Promise<string> {
  const directory = path.join(workspace, "build-files");
  const names = await readdir(directory).catch(() => []);
  const isWanted = (name: string): boolean =>
    name.endsWith(".iso") && (variant === "dev" || name.split(/[^a-z]/).includes(variant));
  const found = await Promise.all(
    names.filter(isWanted).map(async (name) => {
      const file = path.join(directory, name);
      return { file, time: (await stat(file)).mtimeMs };
    }),
  );
  const [newest] = found.sort((a, b) => b.time - a.time);
  if (newest !== undefined) return newest.file;
  throw new UserError(`there is no ${variant === "dev" ? "" : `${variant} `}ISO in build-files/`, {
    code: "iso-missing",
    hint: "name an ISO, or build one: task iso",
    where: directory,
  });
}
