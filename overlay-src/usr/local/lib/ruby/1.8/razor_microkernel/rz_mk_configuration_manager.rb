# What the Microkernel was told: its configuration and its version. Reads two small YAML files, once.

require "yaml"

module RazorMicrokernel
  class ConfigurationManager
    CONFIGURATION = "/tmp/mk_conf.yaml"
    VERSION = "/tmp/mk-version.yaml"

    def initialize(configuration = CONFIGURATION, version = VERSION)
      @values = read(configuration)
      @version = read(version)
    end

    def version
      @version.fetch("mk_version", "unknown")
    end

    def log_level
      @values.fetch("mk_log_level", "INFO")
    end

    # Seconds.
    def network_timeout
      @values.fetch("mk_network_timeout", 60).to_i
    end

    # Names of facts that are not reported.
    def excluded_facts
      Regexp.new(@values.fetch("mk_fact_excl_pattern", "(?!)"))
    end

    private

    # A file that is missing or holds something else is as good as an empty one: the defaults stand.
    def read(path)
      values = File.exist?(path) ? YAML.load(File.read(path)) : nil
      values.is_a?(Hash) ? values : {}
    end
  end
end
