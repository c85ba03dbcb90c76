# The Microkernel's agents and facts in the MCollective of the distribution, without a broker.

require_relative "support"
require "json"
require "mcollective"
require "razor_microkernel/rz_configuration_receiver"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"

PLUGINS = File.expand_path("../../overlay-src/usr/local/share/mcollective/plugins", __dir__)

# Accepts every request.
class LenientDdl
  def validate_rpc_request(_action, _arguments)
    true
  end

  def actions
    ["send_mk_config"]
  end

  def action_interface(_name)
    { :input => {}, :output => {} }
  end
end

class McollectiveAgentsTest < Support::Test
  def setup
    super
    replace(RazorMicrokernel::FactManager, :FACTS, "#{directory}/facts.yaml")
    MCollective::Config.instance.loadconfig(file("server.cfg", <<~TEXT))
      libdir = #{PLUGINS}
      logfile = #{directory}/mcollective.log
      securityprovider = psk
      plugin.psk = key
      connector = rabbitmq
      factsource = yaml
      plugin.yaml = #{directory}/facts.yaml:#{directory}/more.yaml
    TEXT
    MCollective::Config.instance.mode = :server
    %w[Configuration Facteragent].each { |name| MCollective::PluginManager.loadclass("MCollective::Agent::#{name}") }
  end

  def teardown
    # Loading them again would warn of constants otherwise.
    MCollective::Agent.send(:remove_const, :Configuration)
    MCollective::Agent.send(:remove_const, :Facteragent)
    MCollective::Facts.send(:remove_const, :Yaml_facts)
    MCollective::PluginManager.clear
    super
  end

  def replace(scope, name, value)
    scope.send(:remove_const, name)
    scope.const_set(name, value)
  end

  # What MCollective sends back for a request to an agent.
  def ask(agent, action, data = {})
    body = { :agent => agent, :action => action, :data => data, :caller => "uid=0" }
    request = { :body => body, :uniqid => "1", :callerid => "uid=0", :senderid => "test" }
    MCollective::Agent.const_get(agent.capitalize).new.handlemsg(request, nil)
  end

  def send_configuration(text)
    ask("configuration", "send_mk_config", :config_params => text)
  end

  # Starts the configuration server, and yields the path of the configuration.
  def with_server
    path = file("mk_conf.yaml", "mk_checkin_interval: 60\n")
    read = lambda { RazorMicrokernel::ConfigurationManager.new(path, "none") }
    @restarts = 0
    receiver = RazorMicrokernel::ConfigurationReceiver.new(log, read, lambda { @restarts += 1 })
    server = RazorMicrokernel::LocalServer.new(0, log, receiver)
    thread = Thread.new { server.run }
    replace(MCollective::Agent::Configuration, :SERVER, "http://127.0.0.1:#{server.port}/setMkConfig")
    yield path
  ensure
    thread.kill
  end

  def test_agents_have_the_time_that_clients_give_them
    [MCollective::Agent::Configuration, MCollective::Agent::Facteragent].each do |agent|
      assert_equal agent.new.ddl.meta[:timeout], agent.new.timeout
    end
  end

  def test_gives_the_microkernel_another_configuration
    with_server do |path|
      reply = send_configuration('{"mk_checkin_interval": 5}')
      assert_equal [0, "OK", "OK"], [reply[:statuscode], reply[:statusmsg], reply[:data][:response]]
      assert_equal [true, []], [reply[:data][:changed], reply[:data][:refused]]
      assert_match(/\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\z/, reply[:data][:time])
      assert_equal({ "mk_checkin_interval" => 5 }, YAML.load(File.read(path)))
      assert_equal 1, @restarts
    end
  end

  def test_refuses_what_a_post_refuses
    with_server do |path|
      before = File.read(path)
      unknown = send_configuration('{"password": "x", "mk_unknown": {"a": [1]}}')
      assert_equal [0, false, []], [unknown[:statuscode], unknown[:data][:changed], unknown[:data][:refused]]
      wrong = '{"mk_checkin_interval": "soon", "mk_uri": ["a"], "mk_log_level": {"x": 1}, "mk_fact_excl_pattern": "("}'
      assert_equal [false, 4], send_configuration(wrong)[:data].values_at(:changed, :refused).map { |one| one.is_a?(Array) ? one.length : one }
      assert_equal [4, "400: no JSON"], send_configuration("{").values_at(:statuscode, :statusmsg)
      # Refused by the DDL, by the agent, or by the server.
      ["{", "{]", "[1]", "", nil, 5, ["{"], { "mk_checkin_interval" => 5 }, "{#{' ' * 70_000}}", "{\"mk_uri\": \"\xFF\"}"].each do |sent|
        refute_equal 0, send_configuration(sent)[:statuscode], sent.inspect.slice(0, 80)
      end
      refute_equal 0, ask("configuration", "send_mk_config")[:statuscode]
      refute_equal 0, ask("configuration", "instance_eval", :config_params => "{}")[:statuscode]
      assert_equal before, File.read(path)
      assert_equal 0, @restarts
    end
  end

  # MCollective 2.0 does not look into the DDL.
  def test_refuses_other_types_without_the_ddl
    with_server do
      agent = MCollective::Agent::Configuration.new
      agent.instance_variable_set(:@ddl, LenientDdl.new)
      [nil, 5, [], { "mk_checkin_interval" => 5 }].each do |sent|
        request = { :body => { :agent => "configuration", :action => "send_mk_config", :data => { :config_params => sent } } }
        assert_equal 4, agent.handlemsg(request, nil)[:statuscode], sent.inspect
      end
      assert_equal 0, @restarts
    end
  end

  def test_says_that_the_configuration_server_is_away
    replace(MCollective::Agent::Configuration, :SERVER, "http://127.0.0.1:1/setMkConfig")
    reply = send_configuration("{}")
    assert_equal 5, reply[:statuscode]
    assert_match(/\Athe configuration server: /, reply[:statusmsg])
  end

  def test_tells_the_facts_of_the_last_turn
    facts = { "kernel" => "Linux", "text" => "a: b\n\u00fc" }
    RazorMicrokernel::StateFile.write("#{directory}/facts.yaml", facts)
    reply = ask("facteragent", "getall")
    assert_equal 0, reply[:statuscode]
    assert_equal facts, YAML.safe_load(reply[:data][:facts])
  end

  def test_filters_by_the_facts_of_the_last_turn
    facts = MCollective::PluginManager["facts_plugin"]
    assert_nil facts.get_fact("kernel")
    RazorMicrokernel::StateFile.write("#{directory}/facts.yaml", "kernel" => "Linux")
    assert_equal "Linux", facts.get_fact("kernel")
    assert MCollective::Util.has_fact?("kernel", "Linux", "==")
  end
end
