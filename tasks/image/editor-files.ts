/**
 * What editors leave beside the files that they are open on: never part of an image. Vim's swap files, Emacs' locks and
 * unsaved text, and both programs' backups.
 */

/** As patterns of an input, relative to any directory. */
export const editorFiles: readonly string[] = ["**/.*.sw[a-p]", "**/.#*", "**/#*#", "**/*~"];

const names = /^(\..*\.sw[a-p]|\.#.*|#.*#|.*~)$/;

/** Whether a path is such a file's, by its last name. */
export function isEditorFile(path: string): boolean {
  return names.test(path.slice(path.lastIndexOf("/") + 1));
}
