#!/usr/bin/env ruby
# Brings the Microkernel up once the system has booted: waits for the network, loads what the image was told to
# load late, installs the gems, collects the facts, and says on the console which version runs.
# It knows nothing of the Razor server: registration is the controller's.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"
require "razor_microkernel/rz_mk_gem_controller"
require "razor_microkernel/rz_mk_kernel_module_manager"
require "razor_microkernel/rz_network_utils"

module RazorMicrokernel
  # The steps, in order. A step that fails is logged and the next one tried: a machine that says something
  # of itself is worth more than one that stopped.
  class Init
    def initialize(configuration)
      @configuration = configuration
      @logger = Logging.logger_for("init", configuration.log_level)
    end

    def run
      step("network") { wait_for_network }
      step("kernel modules") { KernelModuleManager.new(@logger).load_listed }
      step("gems") { GemController.new(@logger).install_missing }
      step("facts") { FactManager.new(@logger, @configuration).write_facts }
      announce
    end

    private

    def step(name)
      started = Time.now
      yield
      @logger.info("#{name}: done in #{format('%.1f', Time.now - started)} s")
    rescue StandardError, LoadError => e
      @logger.error("#{name}: #{e.class}: #{e.message}")
    end

    def wait_for_network
      address = NetworkUtils.wait_for_address(@configuration.network_timeout)
      if address
        @logger.info("address #{address}, next server #{NetworkUtils.next_server || 'unknown'}")
      else
        @logger.warn("no address after #{@configuration.network_timeout} s, going on without")
      end
    end

    def announce
      line = "MK Loaded: v#{@configuration.version}"
      @logger.info(line)
      File.open("/dev/console", "w") { |console| console.puts(line) }
    end
  end
end

RazorMicrokernel::Init.new(RazorMicrokernel::ConfigurationManager.new).run if __FILE__ == $PROGRAM_NAME
