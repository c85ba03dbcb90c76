/**
 * The statements of an isolinux.cfg: keyword and value. Text that only a person reads is none.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` (comments, INCLUDE) and `doc/menu.txt` (MENU, TEXT HELP, MENU INCLUDE).
 */

export interface Statement {
  /** In lower case; with the second word for MENU, as in `menu label`. */
  readonly keyword: string;
  readonly value: string;
}

/** Gives the text of a file that the menu includes; undefined where there is none, which the boot loader skips as well. */
type ReadIncluded = (name: string) => Promise<string | undefined>;

/** "Files can currently be nested up to 16 levels deep" (syslinux.cfg.txt, INCLUDE). */
const deepest = 16;

/** All statements in the boot loader's order, those of included files in the place of their INCLUDE. */
export async function readStatements(
  text: string,
  readIncluded: ReadIncluded,
  depth = 0,
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  for (const statement of statementsOf(text)) {
    if (!includes.has(statement.keyword)) {
      statements.push(statement);
      continue;
    }
    const [name = ""] = statement.value.split(/\s+/);
    const included = depth < deepest && name !== "" ? await readIncluded(name) : undefined;
    if (included !== undefined) statements.push(...(await readStatements(included, readIncluded, depth + 1)));
  }
  return statements;
}

const includes: ReadonlySet<string> = new Set(["include", "menu include"]);

function statementsOf(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let isHelp = false;
  for (const line of text.split("\n")) {
    const words = line.trim();
    const [, first = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(words) ?? [];
    const keyword = first.toLowerCase();
    if (isHelp) {
      isHelp = keyword !== "endtext";
    } else if (keyword === "text") {
      isHelp = true;
    } else if (keyword === "menu") {
      const [, second = "", value = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
      statements.push({ keyword: `menu ${second.toLowerCase()}`, value });
    } else if (keyword !== "" && !keyword.startsWith("#")) {
      statements.push({ keyword, value: rest });
    }
  }
  return statements;
}
