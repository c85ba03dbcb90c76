/**
 * The files of a tarball laid out like MCollective 2.0.0, which the distribution does not offer.
 * They are placeholders and say so; a real one comes from another source or from MK_BUNDLE_MCOLLECTIVE_URL.
 */

/** The top directory of the tarball, and its name without suffix. */
export const mcollectiveName = "mcollective-2.0.0";

const readme = `This is not MCollective. It is a placeholder in the layout of MCollective 2.0.0, made by the
sample source of razor-mk so that an image can be built without any other mirror.
Name the real tarball with MK_BUNDLE_MCOLLECTIVE_URL.
`;

const daemon = `#!/usr/bin/ruby
# Placeholder of mcollectived: tells what it is and ends.
$LOAD_PATH.unshift(File.expand_path("../lib", File.dirname(File.realpath(__FILE__))))
require "mcollective"

if ARGV == ["--version"]
  puts "mcollectived #{MCollective.version}"
else
  warn "mcollectived: #{MCollective::PLACEHOLDER}"
  exit 1
end
`;

const library = `# Placeholder of the MCollective library.
module MCollective
  VERSION = "2.0.0"
  PLACEHOLDER = "a placeholder of the sample source; see README"

  def self.version
    "#{VERSION} (#{PLACEHOLDER})"
  end
end
`;

const settings = `# What a real mcollectived would read. The placeholder reads nothing.
libdir = /usr/local/mcollective/plugins
daemonize = 1
`;

/** Path below the top directory → text. */
export const mcollectiveFiles: Readonly<Record<string, string>> = {
  README: readme,
  "bin/mcollectived": daemon,
  "etc/server.cfg.dist": settings,
  "lib/mcollective.rb": library,
  "plugins/mcollective/README": readme,
};
