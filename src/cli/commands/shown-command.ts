/** The command line as others may see it: a build that waits for the lock shows it, and it holds no secret. */
import type { Taskfile } from "../../engine/index.ts";
import { parametersOf } from "../options/option-table.ts";

/** `task iso -t ***`: values of secret options and passwords in URLs are left out. */
export function shownCommand(argv: readonly string[], taskfile: Taskfile): string {
  const secrets = parametersOf(taskfile).filter((parameter) => parameter.kind === "secret");
  const long = new Set(
    secrets.flatMap(({ name, aliases = [] }) => [name, ...aliases].map((one) => `--${one}`)),
  );
  const short = new Set(secrets.flatMap(({ short: letter }) => (letter === undefined ? [] : [`-${letter}`])));
  const words = argv.map((word, index) => {
    const before = argv[index - 1] ?? "";
    if (long.has(before) || short.has(before)) return "***";
    const equals = word.indexOf("=");
    if (equals !== -1 && long.has(word.slice(0, equals))) return `${word.slice(0, equals)}=***`;
    // A short option may have its value right behind it.
    if (short.has(word.slice(0, 2)) && word.length > 2) return `${word.slice(0, 2)}***`;
    return word.replace(/(:\/\/)[^/@]*@/g, "$1***@");
  });
  return ["task", ...words].join(" ");
}
