#!/usr/bin/env ruby
# Takes a configuration from programs of this machine, such as MCollective's agent: POST /setMkConfig with JSON, on
# 127.0.0.1:2156. Saves what changed and restarts the controller.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_command"
require "razor_microkernel/rz_configuration_receiver"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_mk_configuration_manager"

module RazorMicrokernel
  logger = Logging.logger_for("web_server", ConfigurationManager.new.log_level)
  controller = File.join(File.expand_path(File.dirname(__FILE__)), "rz_mk_controller.rb")
  restart = lambda { Command.success?(30, "ruby", controller, "restart") }
  receiver = ConfigurationReceiver.new(logger, lambda { ConfigurationManager.new }, restart)
  LocalServer.new(2156, logger, receiver).run
end
