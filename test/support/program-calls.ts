/** The host programs that a TypeScript module calls by name, read from its text: what is computed cannot be seen here. */
import { parse } from "acorn";
import { full } from "acorn-walk";
import { transformSync } from "esbuild";

/** Functions of node:child_process, and their likes in tests, whose first argument is a program. */
const starters = ["spawn", "spawnSync", "execFile", "execFileSync", "run"];
/** What a shell does itself, as far as tests have it do that. */
const builtins = (
  ". : [ break cd command do done echo elif else esac eval exec exit export fi for if in printf read set shift " +
  "source test then trap true false type ulimit umask unset until wait while {} {"
).split(" ");

interface Node {
  readonly type: string;
  readonly callee?: Node;
  readonly tag?: Node;
  readonly name?: string;
  readonly value?: unknown;
  readonly property?: Node;
  readonly arguments?: readonly Node[];
  readonly elements?: readonly Node[];
  readonly quasi?: TemplateNode;
  readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
  readonly expressions?: readonly Node[];
}
type TemplateNode = Pick<Node, "quasis" | "expressions">;

/** Their names, sorted. */
export function calledPrograms(source: string): readonly string[] {
  const { code } = transformSync(source, { loader: "ts", format: "esm", target: "esnext" });
  const found = new Set<string>();
  full(parse(code, { ecmaVersion: "latest", sourceType: "module" }), (visited) => {
    const node = visited as unknown as Node;
    if (node.type === "CallExpression" && starters.includes(nameOf(node.callee) ?? "")) {
      const [program, words] = node.arguments ?? [];
      if (typeof program?.value === "string" && !/[\s/]/.test(program.value)) found.add(program.value);
      for (const word of words?.elements ?? [])
        if (isShell(program?.value) && typeof word?.value === "string" && /[ ;|]/.test(word.value))
          for (const name of programsOfLine(word.value)) found.add(name);
    }
    const tag = node.tag?.type === "CallExpression" ? node.tag.callee : node.tag;
    if (node.type === "TaggedTemplateExpression" && nameOf(tag) === "$")
      for (const name of programsOfLine(lineOf(node.quasi))) found.add(name);
  });
  return [...found].sort();
}

function nameOf(node: Node | undefined): string | undefined {
  return node?.type === "MemberExpression" ? node.property?.name : node?.name;
}

function isShell(program: unknown): boolean {
  return program === "sh" || program === "bash";
}

/** The template's text; a literal put in after `-c` is a line of its own, other expressions are words without a name. */
function lineOf(template: TemplateNode | undefined): string {
  const texts = template?.quasis?.map(({ value }) => value.cooked) ?? [];
  return texts
    .map((text, index) => {
      const put = template?.expressions?.[index];
      if (put === undefined) return text;
      if (!/-c $/.test(text)) return `${text}{}`;
      const script = typeof put.value === "string" ? put.value : put.quasis ? lineOf(put) : "";
      return `${text}; ${script};`;
    })
    .join("");
}

/** The first word of each simple command in a line of shell. */
function programsOfLine(line: string): readonly string[] {
  const bare = line.replace(/'[^']*'|"[^"$]*"/g, "{}").replace(/\$\(/g, ";");
  return bare.split(/&&|\|\||[;|\n&()]/).flatMap((command) => {
    const words = command
      .trim()
      .split(/\s+/)
      .filter((word) => !/^[A-Za-z_]\w*=/.test(word));
    while (["do", "then", "else", "exec", "!", "if", "while"].includes(words[0] ?? "")) words.shift();
    const name = words[0] ?? "";
    return /^[a-z][\w.+-]*$/.test(name) && !builtins.includes(name) ? [name] : [];
  });
}
