/** The keys of watch mode: what each is for, and who is called when it is pressed. What is done then it does not know. */

export interface WatchActions {
  readonly rerun: () => void;
  readonly rerunAll: () => void;
  readonly sayWhy: () => void;
  readonly sayLog: () => void;
  readonly quit: () => void;
  /** Writes lines for people. */
  readonly say: (...lines: readonly string[]) => void;
}

interface WatchKey {
  readonly key: string;
  readonly help: string;
  readonly press: (actions: WatchActions) => void;
}

const watchKeys: readonly WatchKey[] = [
  { key: "r", help: "build again", press: ({ rerun }) => rerun() },
  {
    key: "f",
    help: "rebuild everything, even if nothing changed",
    press: ({ rerunAll }) => rerunAll(),
  },
  { key: "w", help: "why: all reasons of the last build", press: ({ sayWhy }) => sayWhy() },
  { key: "l", help: "log: the output of its tasks", press: ({ sayLog }) => sayLog() },
  { key: "q", help: "quit", press: ({ quit }) => quit() },
];

/** Does what a key is for; one that is for nothing does nothing. */
export function pressWatchKey(pressed: string, actions: WatchActions): void {
  // With the shift lock on, too.
  const letter = pressed.toLowerCase();
  if (letter === "?" || letter === "h") actions.say(...watchKeys.map(({ key, help }) => `${key}  ${help}`));
  // An empty line, to tell apart what comes from what was.
  else if (letter === "\r") actions.say("");
  else watchKeys.find(({ key }) => key === letter)?.press(actions);
}
