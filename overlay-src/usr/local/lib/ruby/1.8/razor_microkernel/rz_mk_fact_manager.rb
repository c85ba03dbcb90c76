# The facts of this machine as servers want them: flat names, texts, without what changes by itself.

require "razor_microkernel/rz_command"
require "razor_microkernel/rz_laid_out_gems"
require "razor_microkernel/rz_mk_hardware_facter"
require "razor_microkernel/rz_server_extension"
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

    # Seconds for which what was prepared is news.
    FRESH = 30

    # `hardware` answers `start` and `facts`; `start_facter` returns a running command. Tests have others than the image.
    def initialize(logger, configuration, directory = "/tmp", hardware = nil, start_facter = nil)
      @logger = logger
      @configuration = configuration
      @facts = File.join(directory, File.basename(FACTS))
      @reported = File.join(directory, File.basename(REPORTED))
      @hardware = hardware || HardwareFacter.new(logger)
      @start_facter = start_facter || lambda { FactManager.start_facter }
      @prepared = nil
      # The first ones are part of the way from power-on to registered.
      @severity = :info
    end

    # Starts what takes the time, for the `collect` that follows soon.
    def prepare
      @prepared = [Time.now, start]
    end

    # name → text. A source that fails loses its own facts only.
    def collect
      started = Time.now
      excluded = @configuration.excluded_facts
      facts = {}
      gather.each do |name, value|
        clean = name.gsub(FORBIDDEN, "")
        facts[clean] = Text.utf8(value.slice(0, LONGEST)) unless name =~ excluded || clean.empty?
      end
      StateFile.write(@facts, facts)
      @logger.send(@severity, "#{facts.size} facts: done in #{format('%.1f', Time.now - started)} s")
      @severity = :debug
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
        # Facter prints its warnings, too.
        output = STDOUT.dup
        STDOUT.reopen("/dev/null", "w")
        find_gems
        require "facter"
        external = File.join(ServerExtension::DIRECTORY, "facts.d")
        # Facter 1.6 knows no external facts.
        Facter.search_external([external]) if File.directory?(external) && Facter.respond_to?(:search_external)
        output.write(YAML.dump(flatten(Facter.to_hash)))
        output.flush
      end
    end

    def self.find_gems
      gems = LaidOutGems.new
      return gems.use if gems.complete?
      require "rubygems"
      # The gem may have been installed after this program started.
      Gem.clear_paths
    end
    private_class_method :find_gems

    private

    def start
      { :facter => @start_facter.call, :hardware => @hardware.start }
    end

    def gather
      running = prepared || start
      @hardware.facts(running[:hardware]).merge(read(running[:facter]))
    end

    # Once. A clock that was set meanwhile makes it old.
    def prepared
      time, running = @prepared
      @prepared = nil
      return unless running
      return running if (0..FRESH).include?(Time.now - time)
      ([running[:facter]] + running[:hardware].map { |_words, command| command }).compact.each { |one| one.stop }
      nil
    end

    def read(facter)
      facts = StateFile.parse(facter.output(FACTER_LIMIT))
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
