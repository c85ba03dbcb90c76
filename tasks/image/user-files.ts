/** What the user adds to the root of a remastered image: files, a backup, and the mark that extensions are copied into memory. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type FileSet, file, files } from "../../src/engine/index.ts";
import { layOutTree, rootOwned, treeFromDirectory } from "../../src/formats/index.ts";
import { epoch } from "../settings/image-options.ts";
import { copyToFileSystem, imageOverlay, mydata } from "../settings/remaster-options.ts";
import { editorFiles, isEditorFile } from "./editor-files.ts";
import { isPresent } from "./optional-files.ts";

export const userFileInputs = {
  image: files("**", { root: imageOverlay, ignore: editorFiles, optional: true }),
  mydata: file(mydata, { optional: true }),
} as const;

export const userFileParams = { epoch, copyToFileSystem, imageOverlay, mydata } as const;

interface UserFiles {
  readonly inputs: { readonly image: FileSet; readonly mydata: string };
  readonly params: {
    readonly epoch: string;
    readonly copyToFileSystem: boolean;
    readonly imageOverlay: string;
    readonly mydata: string;
  };
  /** Absolute; the files are laid out below it. */
  readonly scratch: string;
}

/** Absolute paths of files and directories, by their paths in the image; a later one is laid over an earlier one. */
export async function userFiles({
  inputs,
  params,
  scratch,
}: UserFiles): Promise<Readonly<Record<string, string>>> {
  const hasEdits = isPresent({
    path: inputs.image.root,
    option: "image-overlay",
    given: params.imageOverlay,
    usual: "image-overlay",
  });
  const hasBackup = isPresent({
    path: inputs.mydata,
    option: "mydata",
    given: params.mydata,
    usual: "mydata.tgz",
  });
  const overlay = path.join(scratch, "image-overlay");
  if (hasEdits) {
    const filter = (name: string): boolean => name !== ".git" && !isEditorFile(name);
    const edits = { mtime: Number(params.epoch), policy: rootOwned, filter };
    await layOutTree(await treeFromDirectory(inputs.image.root, edits), overlay);
  }
  const own = path.join(scratch, "own");
  await mkdir(path.join(own, "cde"), { recursive: true });
  if (params.copyToFileSystem) await writeFile(path.join(own, "cde/copy2fs.flg"), "");
  return {
    ...(params.copyToFileSystem ? { cde: path.join(own, "cde") } : {}),
    ...(hasBackup ? { "cde/mydata.tgz": inputs.mydata } : {}),
    ...(hasEdits ? { ".": overlay } : {}),
  };
}
