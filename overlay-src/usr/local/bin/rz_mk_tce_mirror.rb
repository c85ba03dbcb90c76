#!/usr/bin/env ruby
# Serves the image's own extensions on the loopback interface: /tinycorelinux/<release>/<arch>/tcz/*, and the two lists of
# what is to be loaded as JSON arrays.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_mirror"
require "razor_microkernel/rz_mk_configuration_manager"

module RazorMicrokernel
  configuration = ConfigurationManager.new
  lists = { "tce-install-list" => "tce-install-list.yaml", "kmod-install-list" => "kmod-install-list.yaml" }
  mirror = Mirror.new("/tinycorelinux", "/tmp/tinycorelinux", lists, /\A[^\/]+\/[^\/]+\/tcz\/[^\/]+\z/)
  logger = Logging.logger_for("tce_mirror", configuration.log_level)
  LocalServer.new(configuration.mirror_port, logger, mirror).run
end
