# The MCollective daemon of an image that has one: whether its server.cfg is complete, and how it is started.

require "razor_microkernel/rz_supervisor"

module RazorMicrokernel
  class McollectiveDaemon
    HOME = "/usr/local/mcollective"
    CONFIGURATION = "/usr/local/etc/mcollective/server.cfg"
    LIBRARY = File.expand_path("..", File.dirname(__FILE__))
    NICENESS = 10
    HOST = /\Aplugin\.\w+\.(pool\.\d+\.)?host\z/
    # A broker on this machine is no broker: configurations name it for want of a better one.
    THIS_MACHINE = /\A(localhost|127\.[\d.]+|::1|\[::1\])\z/
    YES = /\A(1|yes|true|y|t)\z/i

    def initialize(logger, home = HOME, configuration = CONFIGURATION)
      @logger = logger
      @home = home
      @configuration = configuration
    end

    # Starts the daemon, unless something is missing; that is logged where there is MCollective.
    def start
      return unless installed?
      reason = obstacle
      return @logger.info("MCollective is not started: #{reason}") if reason
      return start_alone if settings["daemonize"] =~ YES
      Supervisor.new("mcollectived", words, @logger, "/tmp", NICENESS).start
    end

    # Why the daemon cannot do anything, or nil.
    def obstacle
      return "#{@configuration} is missing" if settings.empty?
      hosts = settings.keys.grep(HOST).map { |key| settings[key] }
      return "server.cfg names no broker on another machine" if hosts.all? { |host| host =~ THIS_MACHINE }
      "server.cfg has no plugin.psk" if settings["securityprovider"] == "psk" && !settings.key?("plugin.psk")
    end

    # The program and its arguments.
    def words
      ["ruby", "-I", File.join(@home, "lib"), "-I", LIBRARY, program, "--config", @configuration]
    end

    private

    def program
      File.join(@home, "bin/mcollectived")
    end

    def installed?
      File.exist?(program)
    end

    # A configuration of the user's own may send the daemon into the background by itself, where nobody watches over it.
    def start_alone
      raise "mcollectived failed" unless system(*words)
    end

    # key → value, read as MCollective's own config.rb does.
    def settings
      @settings ||= File.readlines(@configuration).inject({}) do |found, line|
        found[$1] = $2 if line =~ /\A([^#\s]+)\s*=\s*(\S.*?)\s*\z/
        found
      end
    rescue SystemCallError
      @settings = {}
    end
  end
end
