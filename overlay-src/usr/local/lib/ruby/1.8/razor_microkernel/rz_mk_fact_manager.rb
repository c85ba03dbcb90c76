# The facts of this machine as servers want them: flat names, texts, without what changes by itself.

require "razor_microkernel/rz_command"
require "razor_microkernel/rz_mk_hardware_facter"
require "razor_microkernel/rz_state_file"
require "razor_microkernel/rz_text"

module RazorMicrokernel
  class FactManager
    # For MCollective and for people.
    FACTS = "/tmp/facts.yaml"
    # What the server was told last.
    REPORTED = "/tmp/prev_facts.yaml"
    # Seconds.
    FACTER_LIMIT = 120
    # Characters of one fact; the server keeps all of them in its memory.
    LONGEST = 65536
    FORBIDDEN = /[!@#$%^&*()=+\[\]{}]/
    # Speeds of the moment: reported, but no reason to register once more.
    UNSTEADY = /MHz\z|\Aprocessors?\d*_speed\z|\Amk_hw_cpu\d+_size\z/

    # `hardware` answers `facts`; `start_facter` returns a running command. Tests have others than the image.
    def initialize(logger, configuration, directory = "/tmp", hardware = nil, start_facter = nil)
      @logger = logger
      @configuration = configuration
      @facts = File.join(directory, File.basename(FACTS))
      @reported = File.join(directory, File.basename(REPORTED))
      @hardware = hardware || HardwareFacter.new(logger)
      @start_facter = start_facter || lambda { FactManager.start_facter }
    end

    # name → text. A source that fails loses its own facts only.
    def collect
      excluded = @configuration.excluded_facts
      facts = {}
      gather.each do |name, value|
        clean = name.gsub(FORBIDDEN, "")
        facts[clean] = Text.utf8(value.slice(0, LONGEST)) unless name =~ excluded || clean.empty?
      end
      StateFile.write(@facts, facts)
      @logger.debug("#{facts.size} facts")
      facts
    end

    # Whether facts differ from those that the server was told.
    def changed?(facts)
      steady(facts) != steady(StateFile.read_hash(@reported))
    end

    def remember(facts)
      StateFile.write(@reported, facts)
    end

    # Nested facts with their names joined by _; what has no value is left out.
    def self.flatten(value, name = nil)
      case value
      when Hash
        value.inject({}) do |flat, (key, inner)|
          flat.merge(flatten(inner, name ? "#{name}_#{key}" : key.to_s))
        end
      when nil then {}
      when Array then { name => value.map { |one| one.is_a?(Hash) ? Json.generate(one) : one.to_s }.join(",") }
      else { name => value.to_s }
      end
    end

    # Facter in a process of its own: it may hang, and its memory is given back.
    def self.start_facter
      Command.new("facter") do
        require "rubygems"
        # The gem may have been installed after this program started.
        Gem.clear_paths
        require "facter"
        STDOUT.write(YAML.dump(flatten(Facter.to_hash)))
      end
    end

    private

    # Both at once.
    def gather
      facter = @start_facter.call
      @hardware.facts.merge(read(facter))
    end

    def read(facter)
      facts = YAML.load(facter.output(FACTER_LIMIT))
      raise Command::Failure, "no facts" unless facts.is_a?(Hash) && !facts.empty?
      FactManager.flatten(facts)
    rescue Command::Failure => e
      @logger.warn("no facts of facter: #{e.message}")
      {}
    end

    def steady(facts)
      facts.reject { |name, _value| name =~ UNSTEADY }
    end
  end
end
