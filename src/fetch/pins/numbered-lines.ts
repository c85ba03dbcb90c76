/** Lines of a text with their numbers, one at a time, and how a broken one is refused. */
import { UserError } from "../../errors/index.ts";
import { excerpt } from "./list.ts";

export interface NumberedLine {
  readonly number: number;
  readonly text: string;
  /** Where the next line begins. */
  readonly next: number;
}

/** The lines from a position on, without outer blanks, one at a time: an index may have millions. */
export function* lines(text: string, position = 0, number = 0): Generator<NumberedLine> {
  const end = /\r\n|\n|\r/g;
  let start = position === 0 && text.startsWith("\uFEFF") ? 1 : position;
  for (let count = number + 1; start <= text.length; count += 1) {
    end.lastIndex = start;
    const match = end.exec(text);
    const next = match === null ? text.length + 1 : end.lastIndex;
    yield { number: count, text: text.slice(start, match?.index ?? text.length).trim(), next };
    start = next;
  }
}

export function broken(where: string, number: number, text: string, expected: string): UserError {
  return new UserError(`invalid line "${excerpt(text)}": expected ${expected}`, {
    code: "bad-index",
    where: `${where}:${number}`,
    hint: "try again later, or use another mirror: the mirror's file is damaged",
  });
}
