/** The edits of `lists/edits.yaml` made: a file of Core's that is edited becomes a file of the overlay. */
import { bytesContent, type FileNode, type FileTree } from "../../src/formats/index.ts";
import type { Edit, EditList } from "./edit-list.ts";

/** Makes the edits in the overlay's tree, in order. @throws UserError `edits` where one does not fit the image */
export async function applyEdits(
  tree: FileTree,
  core: FileTree,
  { edits, error }: EditList,
  mtime: number,
): Promise<void> {
  for (const [index, edit] of edits.entries()) {
    const fail = (message: string, hint: string): Error => error(index, message, hint);
    const node = tree.get(edit.file) ?? core.get(edit.file);
    if (edit.kind === "link") {
      if (node !== undefined && node.type !== "symlink")
        throw fail(`${edit.file} is a ${node.type} of the image`, "choose a path where nothing is");
      tree.addSymlink(edit.file, edit.target, { mtime });
      continue;
    }
    if (node?.type !== "file")
      throw fail(
        node === undefined ? `the image has no ${edit.file}` : `${edit.file} is a ${node.type}, not a file`,
        "look for it with `task find`; files of extensions cannot be edited",
      );
    const from = tree.get(edit.file) === node ? tree : core;
    const text = (await from.read(edit.file)).toString("latin1");
    const edited = editText(text, edit, fail);
    tree.set(edit.file, {
      ...withoutLinks(node),
      content: bytesContent(Buffer.from(edited, "latin1")),
      mtime,
    });
  }
}

function withoutLinks({ linkGroup: _, ...node }: FileNode): FileNode {
  return node;
}

function editText(
  text: string,
  edit: Exclude<Edit, { readonly kind: "link" }>,
  fail: (message: string, hint: string) => Error,
): string {
  const asked = "has the base changed? Compare the file with `task cat`, and adapt the edit";
  const lines = text.split("\n");
  switch (edit.kind) {
    case "append":
      return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${bytesOf(edit.text).replace(/\n?$/, "\n")}`;
    case "insert": {
      const places = lines.flatMap((line, place) => (line === bytesOf(edit.after) ? [place] : []));
      const [place, ...more] = places;
      if (place === undefined || more.length > 0)
        throw fail(`${matching(places.length)} in ${edit.file}, but 1 should: ${edit.after}`, asked);
      return lines.toSpliced(place + 1, 0, ...bytesOf(edit.text).replace(/\n$/, "").split("\n")).join("\n");
    }
    case "replace": {
      const found = lines.filter((line) => edit.pattern.test(line)).length;
      if (found !== edit.count)
        throw fail(`${matching(found)} in ${edit.file}, but ${edit.count} should: ${edit.wanted}`, asked);
      const replacement = bytesOf(edit.replacement);
      return lines.map((line) => line.replace(edit.pattern, replacement)).join("\n");
    }
  }
}

function matching(lines: number): string {
  return lines === 1 ? "1 line matches" : `${lines} lines match`;
}

/** Text as the bytes of its UTF-8, each a character, as files are read here. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
