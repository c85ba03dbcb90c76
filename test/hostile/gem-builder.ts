/** Gems with the specification that a test wants, and nothing in them. */
import { gzipSync } from "node:zlib";
import { tarBytes } from "./tar-builder.ts";

/** The YAML of a specification as RubyGems 1.8 writes it. */
export function gemSpecification(name: string, version: string, platform = "ruby"): string {
  return [
    "--- !ruby/object:Gem::Specification",
    `name: ${name}`,
    "version: !ruby/object:Gem::Version",
    `  version: ${version}`,
    "  prerelease: ",
    `platform: ${platform}`,
    "dependencies:",
    "- !ruby/object:Gem::Dependency",
    "  name: evil",
    "  requirement: &1 !ruby/object:Gem::Requirement",
    "    none: false",
    "    requirements:",
    "    - - ! '>='",
    "      - !ruby/object:Gem::Version",
    "        version: 9.9",
    "  type: :runtime",
    "  version_requirements: *1",
    "",
  ].join("\n");
}

/** The bytes of a `.gem`: a plain tar. */
export function gemBytes(specification: string, data = ""): Buffer {
  return tarBytes([
    { path: "metadata.gz", body: gzipSync(specification) },
    { path: "data.tar.gz", body: gzipSync(tarBytes([{ path: "README", body: data }])) },
  ]);
}
