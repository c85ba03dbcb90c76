# Installs the gems that the image carries in /opt/gems and that were not laid out when it was built. It opens no connection:
# every gem that another needs is there too.

require "razor_microkernel/rz_laid_out_gems"

module RazorMicrokernel
  class GemController
    RUBYGEMS = "/opt/rubygems-*.tgz"

    def initialize(logger, directory = LaidOutGems::CARRIED, laid_out = nil)
      @logger = logger
      @directory = directory
      @laid_out = laid_out || LaidOutGems.new(directory)
    end

    # Installs what is missing; returns the names of the files that were installed.
    def install_missing
      warn_of_unlisted
      return [] if @laid_out.complete?
      install_rubygems
      require "rubygems"
      missing = Dir.glob(File.join(@directory, "*.gem")).sort.reject { |path| installed?(path) }
      return [] if missing.empty?
      @logger.debug("installing #{missing.map { |path| File.basename(path) }.join(', ')}")
      # One call for all: starting RubyGems is what takes the time. Dependencies are among the files.
      run("gem", "install", "--local", "--force", *(documentation_options + missing))
      missing.map { |path| File.basename(path) }
    end

    # Names in gem.list: the first word of a line that is not a comment.
    def listed
      list = File.join(@directory, "gem.list")
      return [] unless File.exist?(list)
      File.readlines(list).map { |line| line.sub(/#.*/, "").split.first }.compact
    end

    private

    # Old rubies come without RubyGems.
    def install_rubygems
      return if system("command -v gem >/dev/null 2>&1")
      archive = Dir.glob(RUBYGEMS).sort.last
      raise "no gem command, and no #{RUBYGEMS}" unless archive
      run("tar", "-xzf", archive, "-C", "/tmp")
      Dir.chdir(File.join("/tmp", File.basename(archive, ".tgz"))) { run("ruby", "setup.rb") }
    end

    def installed?(path)
      name = File.basename(path, ".gem")
      Gem.path.any? { |at| File.exist?(File.join(at, "specifications", "#{name}.gemspec")) }
    end

    def documentation_options
      major = Gem::VERSION.split(".").first.to_i
      major < 2 ? ["--no-rdoc", "--no-ri"] : ["--no-document"]
    end

    def warn_of_unlisted
      listed.each do |name|
        next if Dir.glob(File.join(@directory, "#{name}-[0-9]*.gem")).any?
        @logger.warn("gem.list names #{name}, and #{@directory} has no such gem")
      end
    end

    # Output goes to the output of this program, which is a log file at boot.
    def run(*command)
      raise "#{command.first(3).join(' ')} failed" unless system(*command)
    end
  end
end
