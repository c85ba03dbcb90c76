/** Many builds in one process, such as a watch makes, leave nothing behind that slows the process down. */
import { AsyncResource } from "node:async_hooks";
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { out, task } from "../../src/engine/index.ts";
import { AccessRecord, CodeAccesses } from "../../src/engine/run/code-access.ts";
import { run, workspace } from "./workshop.ts";

/** How many async storages every promise and timer of this process is now propagated through. */
const storages = (): number => Object.getOwnPropertySymbols(new AsyncResource("test")).length;

it("a build leaves no async storage enabled", async () => {
  const root = workspace({});
  const during: number[] = [];
  const made = task({
    name: "made",
    description: "",
    outputs: { file: out.file("file") },
    run: ({ outputs }) => {
      during.push(storages());
      writeFileSync(outputs.file, "");
    },
  });
  const before = storages();
  for (const version of ["1", "2", "3"]) await run(root, [made], { version });
  expect(during).toEqual([during[0], during[0], during[0]]);
  expect(storages()).toBe(before);
});

it("an audit leaves no async storage enabled", () => {
  const before = storages();
  const accesses = new CodeAccesses();
  const stop = accesses.listen();
  accesses.inside(new AccessRecord(), () => undefined);
  stop();
  expect(storages()).toBe(before);
});
