/** Asking for a secret: on a terminal without showing it, else from the first line of standard input. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import { UsageError } from "../../errors/index.ts";
import { decodeSecret } from "./secret-text.ts";

/** Lines of standard input are not waited for beyond this many bytes. */
const mostBytes = 4096;

/**
 * `what` names the secret in the question and in messages. Questions go to `output`, which is standard error: results
 * on standard output stay clean. Throws `UsageError` when there is nothing to read or the question is turned down.
 */
export async function askSecret(
  what: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Promise<string> {
  return input.isTTY === true ? await promptFor(what, input, output) : await readLine(what, input);
}

async function promptFor(what: string, input: ReadStream, output: NodeJS.WriteStream): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // From here on the terminal shows nothing that is typed; the editor's own output goes nowhere.
  const editor = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  try {
    const first = await typeBlind(editor, `${what}: `, output);
    if (first === undefined)
      throw new UsageError(`no ${what} was given`, {
        code: "secret-cancelled",
        hint: "answer the prompt, or name a file that contains it",
      });
    if ((await typeBlind(editor, `${what}, again: `, output)) === first) return first;
    throw new UsageError(`the two answers for ${what} differ`, {
      code: "secret-mistyped",
      hint: "try again",
    });
  } finally {
    editor.close();
  }
}

/** One line with the line editor's keys; undefined when it is empty, or Ctrl-C or Ctrl-D ends it. */
function typeBlind(
  editor: Interface,
  question: string,
  output: NodeJS.WriteStream,
): Promise<string | undefined> {
  output.write(question);
  return new Promise((resolve) => {
    const finish = (answer: string): void => {
      output.write("\n");
      resolve(answer === "" ? undefined : answer);
    };
    editor.once("line", finish);
    editor.once("close", () => finish(""));
    editor.once("SIGINT", () => {
      // The terminal hands the key over instead of the signal that it means: who listens for it must hear of it first.
      process.once("SIGINT", () => finish(""));
      process.kill(process.pid, "SIGINT");
    });
  });
}

async function readLine(what: string, input: NodeJS.ReadStream): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const piece of input) {
    bytes = Buffer.concat([bytes, Buffer.from(piece)]);
    if (bytes.includes("\n") || bytes.length > mostBytes) break;
  }
  const end = bytes.indexOf("\n");
  const line = decodeSecret(end === -1 ? bytes : bytes.subarray(0, end), "standard input").replace(/\r$/, "");
  if (line === "" || line.length > mostBytes) {
    throw new UsageError(`standard input has no ${what} in its first line`, {
      code: "secret-input",
      hint: "write it there, followed by a newline",
    });
  }
  return line;
}
