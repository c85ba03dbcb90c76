/**
 * Scripts that would not run: not executable where boot wants them so, an interpreter that the image lacks, a line end that
 * becomes a part of its name.
 *
 * Sources: execve(2), "Interpreter scripts"; Core-scripts, etc/init.d/tc-config (`/opt/bootsync.sh`) and usr/bin/tce-load
 * (`[ -x /usr/local/tce.installed/NAME ]`); env(1).
 */
import { type FileTree, followLinks, streamContent } from "../formats/index.ts";
import { type ImageFault, PathsByKey } from "./image-fault.ts";

/** Scripts that boot starts by their names: these fail, others are passed over. */
const started = /^(init|opt\/boot(sync|local)\.sh|etc\/init\.d\/(rcS|tc-config))$/;
/** Scripts that run only if they are executable. */
const optional =
  /^(usr\/local\/tce\.installed\/[^/]+|usr\/local\/etc\/init\.d\/[^/]+|etc\/init\.d\/services\/[^/]+|opt\/shutdown\.sh)$/;
/** `PATH` as tc-config and login set it. */
const searched = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

/** The kernel reads this many bytes of a script (BINPRM_BUF_SIZE, linux/binfmts.h). */
const lineSize = 256;

/**
 * The faults of the scripts in a tree. Without `interpreters`, as for a part of an image, it is not asked whether their programs are
 * there.
 */
export async function scriptFaults(
  tree: FileTree,
  { interpreters = true }: { readonly interpreters?: boolean } = {},
): Promise<readonly ImageFault[]> {
  const faults: ImageFault[] = [];
  const lacking = new PathsByKey();
  const ended = new PathsByKey();
  const passedOver = new PathsByKey();
  for (const [path, node] of tree) {
    if (node.type !== "file") continue;
    const isExecutable = (node.mode & 0o111) !== 0;
    if (!isExecutable && !started.test(path) && !optional.test(path)) continue;
    const line = await firstLine(tree, path);
    if (line === undefined) continue;
    if (!isExecutable) {
      if (!started.test(path)) passedOver.add("", path);
      else faults.push(notExecutable(path));
      continue;
    }
    if (line.endsWith("\r")) ended.add("", path);
    else if (interpreters) {
      const missing = missingProgram(tree, line);
      if (missing !== undefined) lacking.add(missing, path);
    }
  }
  for (const [, paths] of ended)
    faults.push({
      severity: "error",
      message: "scripts have lines that end with CR LF, so their interpreter is not found",
      hint: "convert them: sed -i 's/\\r$//' FILE",
      paths,
    });
  for (const [program, paths] of lacking)
    faults.push({
      severity: paths.some((path) => started.test(path)) ? "error" : "warning",
      message: `scripts need ${program}, which the image lacks`,
      hint: `add the extension that has ${program}, or leave the scripts out`,
      paths,
    });
  for (const [, paths] of passedOver)
    faults.push({
      severity: "warning",
      message: "scripts are not executable, so boot passes over them",
      hint: "make them executable: chmod +x FILE",
      paths,
    });
  return faults;
}

function notExecutable(path: string): ImageFault {
  return {
    severity: "error",
    message: "a script that boot starts is not executable",
    hint: `make it executable: chmod +x ${path}`,
    paths: [path],
  };
}

/** The first line without its line feed; undefined for a file that is no script. */
async function firstLine(tree: FileTree, path: string): Promise<string | undefined> {
  for await (const bytes of streamContent(tree.file(path).content)) {
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, lineSize)).toString(
      "latin1",
    );
    return head.startsWith("#!") ? head.split("\n", 1)[0] : undefined;
  }
  return undefined;
}

/** The program of a first line that does not exist; `/usr/bin/env NAME` means NAME too. */
function missingProgram(tree: FileTree, line: string): string | undefined {
  const [interpreter = "", ...args] = line
    .slice(2)
    .trim()
    .split(/[ \t]+/);
  if (!interpreter.startsWith("/")) return undefined;
  if (!isThere(tree, interpreter.slice(1))) return interpreter;
  const [name] = args.filter((one) => !one.startsWith("-") && !one.includes("="));
  if (!/(^|\/)env$/.test(interpreter) || name === undefined || name.includes("/")) return undefined;
  return searched.some((directory) => isThere(tree, `${directory}/${name}`)) ? undefined : name;
}

function isThere(tree: FileTree, path: string): boolean {
  const followed = followLinks(tree, path, true);
  return !followed.loops && tree.get(followed.path)?.type === "file";
}
