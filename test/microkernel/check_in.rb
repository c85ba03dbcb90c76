# Checks in with a server as an image would: usage: check_in.rb DIRECTORY TURNS [KERNEL ARGUMENT...]
# DIRECTORY stands for the image's root and /tmp; facts are two of its own. Prints the console's lines.

require "logger"

$LOAD_PATH.unshift File.expand_path("../../overlay-src/usr/local/lib/ruby/1.8", __dir__)
require "razor_microkernel/logging"
require "razor_microkernel/rz_checkin_loop"
require "razor_microkernel/rz_host_utils"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"
require "razor_microkernel/rz_mk_registration_manager"
require "razor_microkernel/rz_network_utils"

directory, turns, *arguments = ARGV
File.write("#{directory}/proc/cmdline", arguments.join(" "))
known = Object.new
def known.start
  []
end

def known.facts(_running)
  { "mk_hw_nic_count" => "1" }
end
def known.output(_limit)
  YAML.dump("os" => { "name" => "Grüße & 50%" })
end

include RazorMicrokernel
configuration = ConfigurationManager.new("#{directory}/mk_conf.yaml", "#{directory}/none")
logger = Logger.new("#{directory}/log")
host = HostUtils.new(directory)
http = HttpClient.new(3)
facts = FactManager.new(logger, configuration, directory, known, lambda { known })
one = CheckinLoop.new(
  :configuration => configuration, :logger => logger, :host => host, :http => http, :facts => facts,
  :finder => ServerFinder.new(host, NetworkUtils.new(directory)), :console => lambda { |line| puts line },
  :registration => RegistrationManager.new(logger, http, facts, "#{directory}/first_checkin.yaml")
)
turns.to_i.times { one.turn }
