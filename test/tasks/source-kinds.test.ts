import { expect, it } from "vitest";
import { kindOf, sourceChoices, sourceKinds } from "../../tasks/source/kinds/index.ts";

it.each(sourceChoices)("the source %s means the kind of that name", (name) => {
  expect(kindOf(name).name).toBe(name);
});

it.each([
  ["a URL", "http://127.0.0.1:8080/mirror", "a mirror's URL or directory"],
  ["a directory", "./mirror", "a mirror's URL or directory"],
  ["any other name", "company", "another name in lists/sources.yaml"],
])("%s means a kind without a name of its own", (_, source, description) => {
  expect(kindOf(source)).toMatchObject({ name: undefined, description });
});

it("a kind whose mirror a step makes is offered by name, so that the step can be asked for", () => {
  const made = sourceKinds.filter(({ needs }) => needs !== undefined);
  expect(made.map(({ name }) => name)).toEqual(["sample"]);
});

it("pins that are only recorded stay out of the project's lock", () => {
  for (const { lock } of sourceKinds)
    expect(lock.file.startsWith(".buildcache/")).toBe(lock.pins === "recorded");
});
