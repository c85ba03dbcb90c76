#!/usr/bin/env ruby
# Serves the image's own gems on the loopback interface: /gem-mirror/gems/NAME.gem and /gem-mirror/gems/gem.list on
# 127.0.0.1:2158.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_mirror"
require "razor_microkernel/rz_mk_configuration_manager"

module RazorMicrokernel
  logger = Logging.logger_for("gem_mirror", ConfigurationManager.new.log_level)
  mirror = Mirror.new("/gem-mirror/gems", "/opt/gems", {}, /\A[^\/]+\.(gem|list)\z/)
  LocalServer.new(2158, logger, mirror).run
end
