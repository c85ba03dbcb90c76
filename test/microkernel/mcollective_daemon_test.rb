require_relative "support"
require "razor_microkernel/rz_mcollective_daemon"

class McollectiveDaemonTest < Support::Test
  COMPLETE = <<~TEXT
    # connector = none
    libdir = /usr/local/mcollective/plugins
    daemonize = 0
    securityprovider = psk
    plugin.psk = a key=with signs
    connector = rabbitmq
    plugin.rabbitmq.pool.size = 1
    plugin.rabbitmq.pool.1.host = broker
  TEXT

  def daemon(text)
    path = text ? file("server.cfg", text) : "#{directory}/none"
    RazorMicrokernel::McollectiveDaemon.new(log, directory, path)
  end

  def test_a_complete_configuration_has_no_obstacle
    assert_nil daemon(COMPLETE).obstacle
    assert_nil daemon("plugin.stomp.host = 10.0.0.1\nsecurityprovider = ssl\n").obstacle
  end

  def test_a_broker_on_this_machine_is_none
    ["localhost", "127.0.0.1", "::1"].each do |host|
      assert_match(/no broker/, daemon(COMPLETE.sub("broker", host)).obstacle)
    end
    assert_match(/no broker/, daemon("securityprovider = ssl\n").obstacle)
  end

  def test_names_what_is_missing
    assert_match(/none is missing/, daemon(nil).obstacle)
    assert_match(/plugin\.psk/, daemon(COMPLETE.sub(/^plugin\.psk.*\n/, "")).obstacle)
  end

  def test_an_image_without_mcollective_says_nothing
    daemon(COMPLETE).start
    assert_empty log.lines
  end

  def test_starts_nothing_that_is_not_configured
    file("bin/mcollectived", "raise")
    daemon(COMPLETE.sub("broker", "localhost")).start
    assert_equal ["info: MCollective is not started: server.cfg names no broker on another machine"], log.lines
  end

  # With the libraries of both in Ruby's path, and the configuration named.
  def test_a_daemon_that_leaves_for_the_background_is_started_once
    started = "#{directory}/started"
    file("bin/mcollectived", <<~RUBY)
      require "a_library_of_mcollective"
      require "razor_microkernel/rz_text"
      File.open(#{started.inspect}, "a") { |output| output.puts(ARGV.join("|")) }
    RUBY
    file("lib/a_library_of_mcollective.rb", "")
    daemon(COMPLETE.sub("daemonize = 0", "daemonize = 1")).start
    assert_equal "--config|#{directory}/server.cfg\n", File.read(started)
  end
end
