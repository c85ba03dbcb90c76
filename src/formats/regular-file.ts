/**
 * Opens regular files only, without blocking: opening a pipe waits for a writer, and a device may do anything.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { encodeName, printName } from "./names.ts";

/**
 * Opens the regular file at `path` (absolute; a name as of `decodeName`); `label` is how errors name it. The caller closes it.
 * @throws UserError `not-a-regular-file` for pipes, devices, sockets and directories
 */
export async function openRegularFile(path: string, label = path): Promise<FileHandle> {
  const handle = await open(encodeName(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new UserError("this is not a regular file", {
    code: "not-a-regular-file",
    where: printName(label),
    hint: "name a file on the disk: directories, pipes and devices do not support random access",
  });
}
