#!/usr/bin/env ruby
# Controls the daemon that checks in: usage: rz_mk_controller.rb start|stop|restart|status
# Status 0 when it is done; of `status`, 3 when the daemon does not run.

$LOAD_PATH.unshift File.expand_path("../lib/ruby/1.8", File.dirname(__FILE__))

require "razor_microkernel/logging"
require "razor_microkernel/rz_supervisor"

module RazorMicrokernel
  daemon = Supervisor.controller(File.expand_path(File.dirname(__FILE__)), Logging.logger_for("supervisor", "INFO"))
  case ARGV
  when ["start"] then daemon.start
  when ["stop"] then daemon.stop
  when ["restart"]
    daemon.stop
    daemon.start
  when ["status"]
    puts daemon.pid ? "running, process #{daemon.pid}" : "not running"
    exit(daemon.pid ? 0 : 3)
  else
    warn "usage: rz_mk_controller.rb start|stop|restart|status"
    exit 2
  end
  exit(daemon.pid || ARGV == ["stop"] ? 0 : 1)
end
