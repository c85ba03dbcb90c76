/** `task settings`: every option, its value, and who said so. It builds nothing. */
import type { Parameter } from "../../engine/index.ts";
import { messageOf, printableName } from "../../errors/index.ts";
import { noWords } from "../options/command-words.ts";
import { parametersOf } from "../options/option-table.ts";
import type { ValueOrigin } from "../options/value-sources.ts";
import type { Session } from "../session.ts";
import { styleFor } from "../terminal/style.ts";

interface Setting extends ValueOrigin {
  /** `--source`, or `variant`. */
  readonly option: string;
  /** As text; null where none is set, or where a secret is. */
  readonly value: string | null;
}

export async function settingsCommand(session: Session, words: readonly string[]): Promise<number> {
  noWords(words, "settings");
  const { io, request, workspace } = session;
  const parameters = parametersOf(workspace.taskfile);
  const settings: readonly Setting[] = [
    { option: "variant", value: request.variant, ...request.variantOrigin },
    ...(await Promise.all(parameters.map((parameter) => settingOf(session, parameter)))),
  ];
  if (request.json) {
    io.stdout.write(`${JSON.stringify(settings, undefined, 2)}\n`);
    return 0;
  }
  const style = styleFor(io.stdout, io.env);
  const rows = settings.map(
    (setting) => [setting.option, shownValue(setting), shownOrigin(setting)] as const,
  );
  const width = (column: 0 | 1): number =>
    Math.max(...rows.map((row) => row[column].length).filter((one) => one <= 40)) + 2;
  const [first, second] = [width(0), width(1)];
  for (const [option, value, origin] of rows) {
    const said = origin === "built in" ? style.dim(origin) : origin;
    io.stdout.write(
      `${style.cyan(option.padEnd(first))}${value.padEnd(second)}${value.length >= second ? "  " : ""}${said}\n`,
    );
  }
  return 0;
}

async function settingOf(session: Session, parameter: Parameter<unknown>): Promise<Setting> {
  const origin: ValueOrigin = session.request.origins.get(parameter.name) ?? { from: "built in" };
  return { option: `--${parameter.name}`, value: await settingValue(session, parameter), ...origin };
}

/** The value as text, without passwords; null where there is none. What cannot be computed says why. */
async function settingValue({ values }: Session, parameter: Parameter<unknown>): Promise<string | null> {
  if (parameter.kind === "secret") return null;
  try {
    const value = await values.get(parameter);
    const shown = parameter.recorded === undefined ? value : parameter.recorded(value);
    if (shown === undefined || shown === "") return null;
    if (typeof shown === "boolean") return shown ? "on" : "off";
    return Array.isArray(shown) ? shown.join(", ") || null : String(shown);
  } catch (error) {
    return `unknown: ${messageOf(error)}`;
  }
}

function shownValue({ value, from, option }: Setting): string {
  if (value !== null) return printableName(value);
  return from === "built in" || option === "variant" ? "-" : "***";
}

function shownOrigin({ from, where }: Setting): string {
  if (where === undefined || from === "Taskfile") return where ?? from;
  return from === "file" ? where : `${from} (${where})`;
}
