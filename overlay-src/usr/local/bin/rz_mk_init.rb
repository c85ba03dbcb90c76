#!/usr/bin/env ruby
# Brings the Microkernel up once the system has booted: gems, network, what the image was told to load late, the
# controller, the local servers, MCollective; and says on the console which version runs.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_host_utils"
require "razor_microkernel/rz_mcollective_daemon"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_gem_controller"
require "razor_microkernel/rz_mk_kernel_module_manager"
require "razor_microkernel/rz_network_utils"
require "razor_microkernel/rz_server_finder"
require "razor_microkernel/rz_supervisor"

module RazorMicrokernel
  # The steps, in order. A step that fails is logged, shown, and the next one tried: a machine that says something
  # of itself is worth more than one that stopped.
  class Init
    PROGRAMS = File.expand_path(File.dirname(__FILE__))
    SERVERS = %w[rz_mk_tce_mirror rz_mk_gem_mirror rz_mk_web_server]
    SERVER_NICENESS = 10

    def initialize(configuration)
      @configuration = configuration
      @logger = Logging.logger_for("init", configuration.log_level)
      @network = NetworkUtils.new
    end

    def run
      @configuration.refused.each { |sentence| @logger.warn("configuration: #{sentence}") }
      step("gems") { GemController.new(@logger).install_missing }
      step("network") { wait_for_network }
      step("server") { find_server }
      step("extensions and modules") { KernelModuleManager.new(@logger, @configuration).load_listed }
      step("controller") { Supervisor.controller(PROGRAMS, @logger).start }
      # The check-in needs none of them, so it has the processor first.
      step("servers") { SERVERS.each { |name| start_server(name) } }
      step("MCollective") { McollectiveDaemon.new(@logger).start }
      announce
    end

    private

    def step(name)
      started = Time.now
      yield
      @logger.info("#{name}: done in #{format('%.1f', Time.now - started)} s")
    rescue StandardError, LoadError => e
      @logger.error("#{name}: #{e.class}: #{e.message}")
      Logging.console("Microkernel: #{name}: #{e.message}")
    end

    def wait_for_network
      # The controller says what to do.
      return @logger.warn("no Ethernet card, going on without") if HostUtils.new.hw_id.empty?
      address = @network.wait_for_address(@configuration.network_timeout)
      return @logger.info("address #{address}") if address
      @logger.warn("no address after #{@configuration.network_timeout} s, going on without")
      Logging.console("Microkernel: no address: is the cable plugged in, and is there a DHCP server?")
    end

    # Only told: the controller searches again at each check-in.
    def find_server
      server = ServerFinder.new(HostUtils.new, @network).find(@configuration.uri)
      return @logger.info("server #{server.url}, found by #{server.source}") if server
      @logger.warn(ServerFinder::ADVICE)
      Logging.console("Microkernel: #{ServerFinder::ADVICE}")
    end

    def start_server(name)
      Supervisor.new(name, File.join(PROGRAMS, "#{name}.rb"), @logger, "/tmp", SERVER_NICENESS).start
    end

    def announce
      line = "MK Loaded: v#{@configuration.version}"
      @logger.info(line)
      Logging.console(line)
    end
  end
end

RazorMicrokernel::Init.new(RazorMicrokernel::ConfigurationManager.new).run if __FILE__ == $PROGRAM_NAME
