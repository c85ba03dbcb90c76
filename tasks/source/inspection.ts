/**
 * Checks a fetched file before it is pinned: that it is complete, and that its content matches its name.
 */
import { UserError } from "../../src/errors/index.ts";
import { type Artefact, gemNameOf, publicUrl } from "../../src/fetch/index.ts";
import { printName, readGemIdentity, readSquashfsSuperblock } from "../../src/formats/index.ts";

/** Throws a `UserError` when the file (absolute path) is cut short, or is a gem of another name, version or platform. */
export async function inspectArtefact(artefact: Artefact, file: string): Promise<void> {
  const label = `${artefact.name} (${publicUrl(artefact.url)})`;
  if (artefact.kind === "squashfs") await readSquashfsSuperblock(file, label);
  if (artefact.kind === "gem") await checkGem(artefact, file, label);
}

async function checkGem(
  { name: fileName, version = "" }: Artefact,
  file: string,
  label: string,
): Promise<void> {
  const expected = { name: gemNameOf(fileName, version), version, platform: "ruby" };
  const found = await readGemIdentity(file, label);
  for (const field of ["name", "version", "platform"] as const) {
    if (found[field] === expected[field]) continue;
    throw new UserError(
      `${fileName} holds another gem: the ${field} in its specification is "${printName(found[field])}", not "${expected[field]}"`,
      {
        code: "wrong-gem",
        where: label,
        hint: "the gem server has something else under this name; use another one",
      },
    );
  }
}
