/** The host programs that tests call beside the product: each test file declares its own, and `npm run verify` installs them. */
import { isInstalled, readTable } from "../../bin/tool-table.mjs";

/**
 * Declares that the module calls these programs, by the names of the tool table. The set-up reads the call in the module's
 * text, so the names are literals.
 * @throws Error that names what is not installed, with its package.
 */
export function usesPrograms(...names: readonly string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const table = readTable();
  const packages = missing.map((name) => `${name} (package ${table[name]?.apt ?? "unknown"})`);
  throw new Error(`this test calls ${packages.join(", ")}; npm run verify installs what tests call`);
}
