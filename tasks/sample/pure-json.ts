/** The `json_pure` gem, from the gem `json`: the part of it that is written in Ruby. */
import type { GemSource } from "./gem-source.ts";

/** For releases of json that no longer have their own generator and parser in Ruby. */
const forwarder = `# This release of json has no part in pure Ruby: Ruby's own json does the work.
require "json"
`;

/**
 * Leaves out the extension that would have to be compiled. Newer releases hold nothing else; then the gem
 * only loads the json that comes with Ruby, as json_pure's own newest releases do.
 */
export function makePureJson(source: GemSource): GemSource {
  const specification = {
    ...source.specification,
    name: "json_pure",
    summary: "JSON Implementation for Ruby",
    description: "The pure Ruby part of json, from the distribution's package.",
  };
  const pure = [...source.files].filter(
    ([path]) => /^lib\/.*\.rb$/.test(path) && !/^lib\/json\/ext\b/.test(path),
  );
  if (pure.some(([path]) => path === "lib/json/pure.rb")) return { specification, files: new Map(pure) };
  return { specification, files: new Map([["lib/json/pure.rb", { text: forwarder }]]) };
}
