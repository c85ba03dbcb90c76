// Every error that the program can print, read out of the sources: what is made with `new UserError(...)` and its kin.
// It knows the language's syntax, and nothing of what the errors are about.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "acorn";
import { ancestor, simple } from "acorn-walk";
import { transformSync } from "esbuild";

/**
 * @typedef {object} CataloguedError
 * @property {string} kind The class's name.
 * @property {string} code
 * @property {readonly string[]} messages What it may say; what is filled in stands in `<…>`.
 * @property {readonly string[]} hints
 * @property {boolean} where Whether it says where.
 * @property {string} file Relative to the project.
 */

/** @typedef {{ readonly type: string, readonly start: number, readonly end: number, readonly [key: string]: any }} Node */

const classes = ["UserError", "UsageError", "SetupFailure"];

/**
 * @param {string} root Absolute path of the project.
 * @param {readonly string[]} folders
 * @returns {readonly CataloguedError[]} By code, file and message.
 */
export function collectErrors(root, folders = ["src", "tasks", "bin"]) {
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs|js)$/.test(name))
      .map((name) => path.join(folder, name)),
  );
  const found = files.sort().flatMap((file) => errorsIn(readFileSync(path.join(root, file), "utf8"), file));
  const key = (/** @type {CataloguedError} */ error) =>
    `${error.code} ${error.file} ${error.messages.join()}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * @param {string} source
 * @param {string} file
 * @returns {readonly CataloguedError[]}
 */
export function errorsIn(source, file) {
  const { code } = transformSync(source, { loader: file.endsWith(".ts") ? "ts" : "js", target: "esnext" });
  const tree = /** @type {Node} */ (
    /** @type {unknown} */ (parse(code, { ecmaVersion: "latest", sourceType: "module" }))
  );
  const scope = new Scope(code, tree);
  /** @type {CataloguedError[]} */
  const errors = [];
  ancestor(/** @type {any} */ (tree), {
    // The launcher, which runs before the classes are there, writes its own.
    CallExpression: (/** @type {Node} */ node) => {
      if (!code.slice(node.start, node.end).startsWith("process.stderr.write(")) return;
      for (const text of scope.texts(node.arguments[0], new Map())) {
        const [, message, hint] = /^error: (.*)\n {2}hint: (.*)\n$/s.exec(text) ?? [];
        if (message === undefined || hint === undefined || message.startsWith("<")) continue;
        errors.push({ kind: "start", code: "start", messages: [message], hints: [hint], where: false, file });
      }
    },
    NewExpression: (
      /** @type {Node} */ node,
      /** @type {unknown} */ _state,
      /** @type {Node[]} */ ancestors,
    ) => {
      if (!classes.includes(node.callee.name)) return;
      const [message, options] = node.arguments;
      for (const bindings of scope.callsOf(ancestors)) {
        const texts = (/** @type {Node | undefined} */ value) =>
          value === undefined ? [] : scope.texts(value, bindings);
        const named = scope.options(options, bindings);
        errors.push({
          kind: node.callee.name,
          code: texts(named.code).join(", ") || "setup",
          messages: texts(message),
          hints: node.callee.name === "SetupFailure" ? texts(options) : texts(named.hint),
          where: named.where !== undefined,
          file,
        });
      }
    },
  });
  return errors;
}

/** What names stand for in one file, as far as an error's text needs it. */
class Scope {
  /**
   * @param {string} code
   * @param {Node} tree
   */
  constructor(code, tree) {
    this.code = code;
    /** @type {Node[]} */
    this.calls = [];
    /** @type {Map<string, Node>} Constants by name; of several the last one. */
    this.constants = new Map();
    simple(/** @type {any} */ (tree), {
      CallExpression: (/** @type {Node} */ node) => void this.calls.push(node),
      VariableDeclarator: (/** @type {Node} */ node) => {
        if (node.id.type === "Identifier" && node.init) this.constants.set(node.id.name, node.init);
      },
    });
  }

  /**
   * A function that makes errors of what it is given makes one for each of its calls: what its parameters are in each.
   * @param {readonly Node[]} ancestors
   * @returns {readonly ReadonlyMap<string, Node>[]}
   */
  callsOf(ancestors) {
    const made = ancestors.at(-1);
    const index = ancestors.findLastIndex((node) => /Function/.test(node.type));
    const maker = ancestors[index];
    const parent = ancestors[index - 1];
    const name = maker?.id?.name ?? (parent?.type === "VariableDeclarator" ? parent.id.name : undefined);
    const parameters = (maker?.params ?? []).flatMap((/** @type {Node} */ one) => one.name ?? []);
    const used = parameters.some((/** @type {string} */ one) => this.#isText(one, made));
    const calls = this.calls.filter(({ callee }) => name !== undefined && callee.name === name);
    if (!used || calls.length === 0) return [new Map()];
    return calls.map(
      (call) =>
        new Map(
          maker?.params.map((/** @type {Node} */ one, /** @type {number} */ at) => [
            one.name,
            call.arguments[at],
          ]),
        ),
    );
  }

  /**
   * Whether a name is the whole message, code or hint.
   * @param {string} name
   * @param {Node | undefined} made
   */
  #isText(name, made) {
    const { code, hint } = this.options(made?.arguments[1], new Map());
    return [made?.arguments[0], code, hint].some((node) => node?.type === "Identifier" && node.name === name);
  }

  /**
   * The properties of an error's options, those that are spread into them under a condition included.
   * @param {Node | undefined} node
   * @param {ReadonlyMap<string, Node>} bindings
   * @returns {{ [name: string]: Node | undefined }}
   */
  options(node, bindings) {
    if (node === undefined) return {};
    if (node.type === "Identifier") {
      const meant = bindings.get(node.name) ?? this.constants.get(node.name);
      return meant === undefined || meant === node ? {} : this.options(meant, bindings);
    }
    if (node.type === "ConditionalExpression") {
      return { ...this.options(node.consequent, bindings), ...this.options(node.alternate, bindings) };
    }
    if (node.type !== "ObjectExpression") return {};
    /** @type {{ [name: string]: Node | undefined }} */
    const named = {};
    for (const property of node.properties) {
      if (property.type === "SpreadElement") Object.assign(named, this.options(property.argument, bindings));
      else named[property.key.name] = property.value;
    }
    return named;
  }

  /**
   * The texts that an expression may be.
   * @param {Node} node
   * @param {ReadonlyMap<string, Node>} bindings
   * @returns {readonly string[]}
   */
  texts(node, bindings) {
    switch (node.type) {
      case "Literal":
        return [String(node.value)];
      case "TemplateLiteral":
        return this.#joined(
          node.quasis.flatMap((/** @type {Node} */ quasi, /** @type {number} */ at) => {
            const inner = node.expressions[at];
            const own = [quasi.value.cooked];
            return inner === undefined ? [own] : [own, this.#inner(inner, bindings)];
          }),
        );
      case "BinaryExpression":
        if (node.operator === "+")
          return this.#joined([this.texts(node.left, bindings), this.texts(node.right, bindings)]);
        break;
      case "ConditionalExpression":
        return [...this.texts(node.consequent, bindings), ...this.texts(node.alternate, bindings)].filter(
          (text) => text !== "<undefined>",
        );
      case "LogicalExpression":
        return [...this.texts(node.left, bindings), ...this.texts(node.right, bindings)];
      case "Identifier": {
        const meant = bindings.get(node.name);
        if (meant !== undefined) return this.texts(meant, new Map());
        const constant = this.constants.get(node.name);
        const isText = /^(Literal|TemplateLiteral|ConditionalExpression|BinaryExpression)$/.test(
          constant?.type ?? "",
        );
        if (constant !== undefined && isText) return this.texts(constant, bindings);
        break;
      }
      default:
    }
    return [`<${this.code.slice(node.start, node.end).replaceAll(/\s+/g, " ")}>`];
  }

  /**
   * Within a text only what is a text itself is written out; every other value keeps its name.
   * @param {Node} node
   * @param {ReadonlyMap<string, Node>} bindings
   */
  #inner(node, bindings) {
    const isText =
      node.type === "Literal" || (node.type === "Identifier" && bindings.get(node.name)?.type === "Literal");
    return isText ? this.texts(node, bindings) : [`<${nameOf(node, this.code)}>`];
  }

  /**
   * Every way to put the parts together.
   * @param {readonly (readonly string[])[]} parts
   * @returns {readonly string[]}
   */
  #joined(parts) {
    return parts.reduce(
      (/** @type {readonly string[]} */ before, part) =>
        before.flatMap((start) => part.map((end) => start + end)),
      [""],
    );
  }
}

/**
 * What a value is called: the last name in it.
 * @param {Node} node
 * @param {string} code
 */
function nameOf(node, code) {
  const text = code.slice(node.start, node.end).replaceAll(/\s+/g, " ");
  return text.length <= 40 ? text : "…";
}
