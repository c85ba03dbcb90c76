# The facts of this machine, as facter finds them, kept where the controller and MCollective read them.

require "yaml"
require "rubygems"

module RazorMicrokernel
  class FactManager
    FACTS = "/tmp/facts.yaml"

    def initialize(logger, configuration, path = FACTS)
      @logger = logger
      @configuration = configuration
      @path = path
    end

    # Writes the facts at once, so that a reader never sees half of them; returns how many there are.
    def write_facts
      excluded = @configuration.excluded_facts
      facts = collect.reject { |name, _value| name =~ excluded }
      fresh = "#{@path}.new"
      File.open(fresh, "w") { |file| file.write(YAML.dump(plain(facts))) }
      File.rename(fresh, @path)
      @logger.info("#{facts.size} facts in #{@path}")
      facts.size
    end

    private

    # The gem may have been installed by this very process's child: RubyGems is told to look again.
    def collect
      Gem.clear_paths
      require "facter"
      facts = Facter.to_hash
      raise "facter found nothing" if facts.empty?
      facts
    end

    # Facter's own kinds of hash would be written with the names of their classes, which other readers refuse.
    def plain(value)
      case value
      when Hash then value.each_with_object({}) { |(name, inner), hash| hash[name.to_s] = plain(inner) }
      when Array then value.map { |inner| plain(inner) }
      else value
      end
    end
  end
end
