# The gems that were laid out when the image was built. They are found without RubyGems, whose start takes long.

require "rbconfig"

module RazorMicrokernel
  class LaidOutGems
    CARRIED = "/opt/gems"
    HOMES = "/usr/local/lib/ruby/gems"
    # Second line of a specification: name, version, platform, and the directories of libraries (Gem::StubSpecification).
    STUB = /\A# stub: \S+ \S+ \S+ (.+)\z/

    # `carried` has the gems' files, `homes` a directory for each version of Ruby.
    def initialize(carried = CARRIED, homes = HOMES)
      @carried = carried
      @home = File.join(homes, RbConfig::CONFIG["ruby_version"].to_s)
    end

    # Whether all gems that the image carries are laid out.
    def complete?
      names.all? { |name| File.exist?(specification(name)) }
    end

    # Lets `require` find their libraries, after Ruby's own. RubyGems is loaded where a program mentions it.
    def use
      $LOAD_PATH.concat(names.map { |name| libraries(name) }.flatten - $LOAD_PATH)
      Object.autoload(:Gem, "rubygems") unless defined?(::Gem)
    end

    private

    def names
      Dir.glob(File.join(@carried, "*.gem")).sort.map { |path| File.basename(path, ".gem") }
    end

    def specification(name)
      File.join(@home, "specifications", "#{name}.gemspec")
    end

    def libraries(name)
      line = File.readlines(specification(name))[1].to_s.chomp
      STUB.match(line)[1].split("\0").map { |directory| File.join(@home, "gems", name, directory) }
    end
  end
end
