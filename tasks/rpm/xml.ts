/** XML files of repositories, read with the line of each fault. */
import { DOMParser, type Document, type Element, ParseError } from "@xmldom/xmldom";
import { type ErrorCode, UserError } from "../../src/errors/index.ts";

/** Parses the text of `label`, whose root element is to be `root`. Throws a `UserError` of this code with the line. */
export function parseXml(text: string, root: string, label: string, code: ErrorCode): Document {
  const fail = (message: string, line: number): never => {
    throw new UserError(message, { code, where: `${label}:${line}`, hint: `correct the XML of ${label}` });
  };
  let fault: { readonly message: string; readonly line: number } | undefined;
  const parser = new DOMParser({
    onError: (level, message, context) => {
      const line: number = context?.locator?.lineNumber ?? 1;
      if (level !== "warning") fault ??= { message: message.split("\n")[0] ?? "", line };
    },
  });
  let document: Document | undefined;
  try {
    document = parser.parseFromString(text, "text/xml");
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    fault ??= { message: error.message, line: 1 };
  }
  if (fault !== undefined || document === undefined)
    return fail(`this is not XML: ${fault?.message}`, fault?.line ?? 1);
  const found = document.documentElement?.localName ?? "";
  if (found !== root) fail(`the root element is ${found || "missing"}, and not ${root}`, 1);
  return document;
}

/** The elements directly below an element that have this name, whatever their prefix. */
export function childrenOf(parent: Element, name: string): readonly Element[] {
  const found: Element[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling)
    if (isElement(node) && node.localName === name) found.push(node);
  return found;
}

/** The text of the first such element, without outer blanks; empty if there is none. */
export function textOf(parent: Element, name: string): string {
  return childrenOf(parent, name)[0]?.textContent?.trim() ?? "";
}

function isElement(node: { readonly nodeType: number }): node is Element {
  return node.nodeType === 1;
}
