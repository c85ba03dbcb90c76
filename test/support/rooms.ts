/** The rooms of the source tree: which may import which. `biome-walls.json` has to refuse everything else. */

const aboveSession = [
  "src/cli/terminal",
  "src/cli/options",
  "src/cli/output",
  "src/cli/start.ts",
  "src/cli/session.ts",
  "src/engine",
  "src/host",
  "src/errors",
];

/**
 * Each room with the rooms whose modules it may import. A room of another directory is entered by its `index.ts`: that is
 * written as the directory itself (`src/host`). `tasks` is the steps, which lie directly in that directory; a room of one
 * module has its name.
 */
export const permitted: Readonly<Record<string, readonly string[]>> = {
  "src/errors": [],
  "src/host": ["src/errors"],
  "src/formats": ["src/host", "src/errors"],
  "src/release": ["src/host", "src/errors"],
  "src/serve": ["src/errors"],
  "src/inspection": ["src/formats", "src/errors"],
  "src/comparison": ["src/formats", "src/inspection", "src/errors"],
  "src/bom": ["src/formats", "src/inspection", "src/errors"],
  "src/report": ["src/errors"],
  "src/remote": ["src/engine", "src/errors"],
  "src/fetch/http": ["src/host", "src/errors"],
  "src/fetch/pins": ["src/fetch/http", "src/errors"],
  "src/fetch/tinycore": ["src/fetch/http", "src/fetch/pins", "src/errors"],
  "src/fetch/rubygems": ["src/fetch/http", "src/fetch/pins", "src/errors"],
  "src/fetch/update": [
    "src/fetch/http",
    "src/fetch/pins",
    "src/fetch/tinycore",
    "src/fetch/rubygems",
    "src/errors",
  ],
  ...floors(
    "src/engine",
    ["define", "files", "bind", "state", "decide", "run", "watch"],
    ["src/host", "src/errors"],
  ),
  ...floors(
    "src/cli",
    ["terminal", "options", "output", "start.ts", "session.ts"],
    ["src/engine", "src/host", "src/errors"],
  ),
  // Options name a remote cache's location by its type.
  "src/cli/options": ["src/cli/terminal", "src/engine", "src/remote", "src/host", "src/errors"],
  "src/cli/completion": aboveSession,
  "src/cli/doctor": [...aboveSession, "src/remote"],
  "src/cli/init": aboveSession,
  "src/cli/commands": [...aboveSession, "src/remote", "src/cli/completion", "src/cli/doctor", "src/cli/init"],
  "tasks/settings": ["src/engine", "src/formats", "src/host", "src/errors"],
  "tasks/image": [
    "tasks/settings",
    "src/engine",
    "src/fetch",
    "src/bom",
    "src/report",
    "src/inspection",
    "src/formats",
    "src/host",
    "src/errors",
  ],
  "tasks/packaging": [
    "tasks/image",
    "tasks/debian",
    "tasks/settings",
    "src/engine",
    "src/fetch",
    "src/inspection",
    "src/formats",
    "src/host",
    "src/errors",
  ],
  "tasks/debian": ["src/fetch", "src/formats", "src/host", "src/errors"],
  "tasks/sample": ["tasks/debian", "src/formats", "src/host", "src/errors"],
  "tasks/rpm": [
    "tasks/sample-source.ts",
    "tasks/source/kinds",
    "tasks/source",
    "tasks/image",
    "tasks/debian",
    "tasks/settings",
    "src/engine",
    "src/release",
    "src/fetch",
    "src/formats",
    "src/host",
    "src/errors",
  ],
  "tasks/source": [
    "tasks/source/kinds",
    "tasks/settings",
    "src/engine",
    "src/fetch",
    "src/formats",
    "src/errors",
  ],
  "tasks/source/kinds": [
    "tasks/sample-source.ts",
    "tasks/settings",
    "src/engine",
    "src/fetch",
    "src/serve",
    "src/formats",
    "src/errors",
  ],
  tasks: [
    "tasks/sample-source.ts",
    "tasks/source/kinds",
    "tasks/settings",
    "tasks/image",
    "tasks/packaging",
    "tasks/debian",
    "tasks/sample",
    "tasks/source",
    "tasks/rpm",
    "src/engine",
    "src/comparison",
    "src/release",
    "src/bom",
    "src/report",
    "src/inspection",
    "src/fetch",
    "src/serve",
    "src/formats",
    "src/host",
    "src/errors",
  ],
  "Taskfile.ts": ["tasks", "tasks/sample-source.ts", "tasks/settings", "src/engine"],
};

/** Rooms of a directory, lowest first: each may import those before it, and all of them `outside`. */
function floors(
  directory: string,
  names: readonly string[],
  outside: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const rooms = names.map((name) => `${directory}/${name}`);
  return Object.fromEntries(rooms.map((room, index) => [room, [...rooms.slice(0, index), ...outside]]));
}
