#!/usr/bin/env ruby
# The check-in loop, in the foreground; rz_mk_controller.rb runs it as a daemon. Log: /var/log/rz_mk_controller.log

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_checkin_loop"
require "razor_microkernel/rz_host_utils"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"
require "razor_microkernel/rz_mk_registration_manager"
require "razor_microkernel/rz_network_utils"

module RazorMicrokernel
  configuration = ConfigurationManager.new
  logger = Logging.logger_for("controller", configuration.log_level)
  host = HostUtils.new
  http = HttpClient.new
  facts = FactManager.new(logger, configuration)
  CheckinLoop.new(
    :configuration => configuration,
    :logger => logger,
    :host => host,
    :finder => ServerFinder.new(host, NetworkUtils.new),
    :facts => facts,
    :registration => RegistrationManager.new(logger, http, facts),
    :http => http,
    :console => lambda { |line| Logging.console(line) }
  ).run
end
