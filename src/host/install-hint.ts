/**
 * How a missing tool is installed, by package manager. The table is data (tools.json), so that the set-up script,
 * which runs before anything is compiled, reads the same one.
 */
import tools from "./tools.json" with { type: "json" };

interface Entry {
  readonly for: string;
  readonly apt?: string;
  readonly dnf?: string;
  readonly pacman?: string;
  readonly brew?: string;
}

const commands = {
  apt: "apt-get install",
  dnf: "dnf install",
  pacman: "pacman -S",
  brew: "brew install",
} as const;

/** One sentence with the command for each package manager that has the tool, or undefined for an unknown tool. */
export function installHint(tool: string): string | undefined {
  const entry = (tools as Readonly<Record<string, Entry>>)[tool];
  return entry === undefined ? undefined : `it is needed for ${entry.for}; ${installAdvice(tool)}`;
}

/** As `installHint`, for where it was said already what the tool is for. */
export function installAdvice(tool: string): string | undefined {
  const entry = (tools as Readonly<Record<string, Entry>>)[tool];
  if (entry === undefined) return undefined;
  const ways = (["apt", "dnf", "pacman", "brew"] as const).flatMap((manager) => {
    const name = entry[manager];
    return name === undefined ? [] : [`\`${commands[manager]} ${name}\``];
  });
  return `install it with ${ways.join(", or ")}`;
}
