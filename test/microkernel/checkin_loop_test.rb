require_relative "support"
require "json"
require "razor_microkernel/rz_checkin_loop"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_registration_manager"

# The loop without network: servers answer from a list, the machine's clock is the test's.
class CheckinLoopTest < Support::Test
  Failure = RazorMicrokernel::HttpClient::Failure

  class Host
    attr_accessor :hw_id, :uptime, :arguments, :left, :asked

    def initialize
      @hw_id = "525400AABB02_525400AABB10"
      @uptime = 1000.0
      @arguments = {}
    end

    def uuid
      "U-1"
    end

    def kernel_argument(name)
      @arguments[name]
    end

    def ask_for_addresses
      @asked = (@asked || []) << @hw_id
    end

    def leave(command)
      @left = (@left || []) << command
      true
    end
  end

  # Answers requests with what the test put into `answers`: a hash is JSON, an exception is raised.
  class Http
    attr_reader :requests
    attr_accessor :answers

    def initialize(host)
      @host = host
      @requests = []
      @answers = []
    end

    def get(url)
      answer([:get, url])
    end

    def post(url, type, body)
      answer([:post, url, type, body])
    end

    def answer(request)
      @requests << request
      @host.uptime += 1
      value = @answers.shift || raise("no answer to #{request.inspect}")
      raise value if value.is_a?(Exception)
      return RazorMicrokernel::HttpClient::Answer.new(value, "", {}) if value.is_a?(Integer)
      RazorMicrokernel::HttpClient::Answer.new(200, value.is_a?(Hash) ? JSON.generate(value) : value, {})
    end
  end

  class Facts
    attr_accessor :now, :told

    def initialize
      @now = { "a" => "1" }
    end

    def collect
      @now
    end

    def changed?(facts)
      facts != @told
    end

    def remember(facts)
      @told = facts
    end
  end

  def setup
    super
    @host = Host.new
    @http = Http.new(@host)
    @facts = Facts.new
    @console = []
    @fetched = []
    @found = RazorMicrokernel::ServerFinder::Server.new(nil, "http://10.0.2.2:8026", "DHCP")
  end

  def loop_of(configuration = "")
    @configuration = RazorMicrokernel::ConfigurationManager.new(file("mk_conf.yaml", configuration), "none")
    path = file("first_checkin.yaml", "--- true\n")
    test = self
    finder = Object.new.tap do |one|
      one.define_singleton_method(:find) do |configured|
        configured ? RazorMicrokernel::ServerFinder::Server.new(nil, configured, "mk_uri") : test.instance_variable_get(:@found)
      end
    end
    RazorMicrokernel::CheckinLoop.new(
      :configuration => @configuration, :logger => log, :host => @host, :finder => finder, :facts => @facts,
      :registration => RazorMicrokernel::RegistrationManager.new(log, @http, @facts, path), :http => @http,
      :extension => Object.new.tap { |one| one.define_singleton_method(:refresh) { |url| test.instance_variable_get(:@fetched) << url } },
      :console => lambda { |line| @console << line },
      :back_off => RazorMicrokernel::BackOff.new(5, 600, lambda { 1.0 }))
  end

  def reply(command, more = {})
    { "errcode" => 0, "response" => { "command_name" => command } }.merge(more)
  end

  # Answers for a turn in which the machine registers.
  def registered(one)
    @http.answers = [reply("register"), {}]
    one.turn
    @http.requests.clear
  end

  def test_registers_once_and_again_only_when_facts_differ
    one = loop_of
    @http.answers = [reply("register"), {}]
    # Two requests took two seconds of sixty.
    assert_equal 58, one.turn
    assert_equal [:get, "http://10.0.2.2:8026/razor/api/node/checkin?hw_id=525400AABB02_525400AABB10&last_state=idle&first_checkin=true"],
                 @http.requests.first
    assert_equal [:post, "http://10.0.2.2:8026/razor/api/node/register", "application/x-www-form-urlencoded"],
                 @http.requests.last.first(3)
    @http.requests.clear
    @http.answers = [reply("acknowledge")]
    one.turn
    assert_equal 1, @http.requests.length
    refute_includes @http.requests.first.last, "first_checkin"
    @facts.now = { "a" => "2" }
    @http.answers = [reply("acknowledge"), {}]
    one.turn
    assert_equal({ "a" => "2" }, @facts.told)
  end

  def test_stays_first_until_a_registration_is_accepted
    one = loop_of
    @http.answers = [reply("register"), 500, reply("register"), {}]
    one.turn
    one.turn
    assert_equal 2, @http.requests.count { |request| request.last.include?("first_checkin=true") }
    assert_includes log.lines.join("\n"), "the registration was refused with status 500"
  end

  def test_backs_off_logs_once_and_recovers
    one = loop_of
    refused = Failure.new("Connection refused")
    @http.answers = Array.new(9) { refused }
    assert_equal [5, 10, 20, 40, 80, 160, 320, 600, 600], Array.new(9) { one.turn }
    assert_equal 1, log.lines.grep(/refused/).length
    assert_equal ["Microkernel: http://10.0.2.2:8026: Connection refused; trying again"], @console
    registered(one)
    assert_includes log.lines, "info: the server answers again"
    @http.answers = [refused]
    assert_equal 5, one.turn
  end

  def test_lives_through_every_bad_answer
    one = loop_of
    ["", "<html>", "[]", "3", "{", { "errcode" => 1 }, { "errcode" => 0 }, { "errcode" => 0, "response" => "x" },
     reply(7), 404, 503, Failure.new("an answer of more than 1048576 bytes"), Errno::ENOSPC.new("/tmp/facts.yaml")].each do |bad|
      @http.answers = [bad]
      assert_operator one.turn, :>=, 5, bad.inspect
    end
    registered(one)
    assert_equal({ "a" => "1" }, @facts.told)
  end

  def test_says_what_to_do_where_tmp_is_full
    one = loop_of
    registered(one)
    @http.answers = Array.new(2) { Errno::ENOSPC.new("/tmp/facts.yaml.new") }
    2.times { one.turn }
    assert_equal ["Microkernel: no space left in /tmp: remove files from it, or give the machine more memory; trying again"],
                 @console.grep(/space/)
    registered(one)
    assert_equal "Microkernel: the server answers again", @console.last
  end

  def test_says_what_to_do_without_card_and_without_server
    one = loop_of
    @host.hw_id = ""
    one.turn
    assert_match(/no Ethernet card: plug one in/, @console.last)
    one.turn
    assert_nil @host.asked
    @host.hw_id = "525400AABB02"
    @found = nil
    2.times { one.turn }
    assert_match(/no server found: set next-server in DHCP.*razor\.ip=ADDRESS/, @console.last)
    assert_equal 2, @console.length
    assert_equal ["525400AABB02"], @host.asked
    assert_empty @http.requests
  end

  def test_applies_a_configuration_in_place
    one = loop_of("mk_checkin_interval: 60\n")
    registered(one)
    sent = { "mk_checkin_interval" => 7, "mk_log_level" => "Logger::DEBUG", "mk_uri" => "http://10.0.2.2:8026", "mk_new" => 1 }
    2.times do
      @http.answers = [reply("acknowledge", "client_config" => sent)]
      assert_equal 6, one.turn
    end
    assert_equal 0, log.level
    assert_equal 1, log.lines.grep(/another configuration/).length
    assert_equal 7, YAML.load(File.read("#{directory}/mk_conf.yaml"))["mk_checkin_interval"]
  end

  def test_logs_a_refused_configuration_once_and_keeps_its_own
    one = loop_of("mk_checkin_interval: 60\n")
    registered(one)
    2.times do
      @http.answers = [reply("acknowledge", "client_config" => { "mk_checkin_interval" => "x" })]
      assert_equal 59, one.turn
    end
    assert_equal 1, log.lines.grep(/mk_checkin_interval cannot be "x"/).length
  end

  def test_returns_to_the_found_server_when_the_named_one_does_not_answer
    one = loop_of
    registered(one)
    named = { "client_config" => { "mk_uri" => "http://10.9.9.9:1" } }
    @http.answers = [reply("acknowledge", named)] + Array.new(3) { Failure.new("no answer within 10 s") }
    4.times { one.turn }
    assert_equal 3, @http.requests.count { |request| request.last.index("http://10.9.9.9:1/") == 0 }
    2.times do
      @http.answers = [reply("acknowledge", named)]
      one.turn
      assert_match(/\Ahttp:\/\/10\.0\.2\.2:8026\//, @http.requests.last.last)
    end
  end

  def test_warns_once_of_an_unknown_command
    one = loop_of
    registered(one)
    2.times do
      @http.answers = [reply("dance\nnow")]
      one.turn
    end
    assert_equal ["warn: the server says \"dance now\", which this Microkernel does not know"], log.lines.grep(/dance/)
  end

  def test_obeys_a_restart_unless_the_machine_has_just_started
    one = loop_of
    registered(one)
    @host.uptime = 100.0
    @http.answers = [reply("reboot")]
    one.turn
    assert_nil @host.left
    assert_match(/it waits until this machine is up for 300 s/, @console.last)
    # The order is kept, whatever the server says later.
    @host.uptime = 300.0
    @http.answers = [reply("acknowledge")]
    one.turn
    assert_equal ["reboot"], @host.left
  end

  def test_obeys_at_once_where_the_kernel_line_says_so_and_when_it_is_to_switch_off
    one = loop_of
    registered(one)
    @host.uptime = 10.0
    @host.arguments["razor.reboot"] = "now"
    @http.answers = [reply("reboot")]
    one.turn
    assert_equal ["reboot"], @host.left
    @host.arguments.clear
    other = loop_of
    @http.answers = [reply("poweroff")]
    other.turn
    assert_equal %w[reboot poweroff], @host.left
  end

  def test_speaks_hanlon
    one = loop_of("mk_dialect: hanlon\n")
    @http.answers = [reply("register"), {}]
    one.turn
    assert_equal "http://10.0.2.2:8026/hanlon/api/v1/node/checkin?uuid=U-1&mac_id=525400AABB02_525400AABB10&last_state=idle&first_checkin=true",
                 @http.requests.first.last
    _verb, url, type, body = @http.requests.last
    assert_equal ["http://10.0.2.2:8026/hanlon/api/v1/node/register", "application/json"], [url, type]
    assert_equal({ "mac_id" => "525400AABB02_525400AABB10", "uuid" => "U-1", "attributes_hash" => { "a" => "1" },
                   "last_state" => "idle" }, JSON.parse(body))
  end

  def test_speaks_to_razor_server_with_one_request_a_turn
    @found = RazorMicrokernel::ServerFinder::Server.new("razor-server", "http://r:8150/svc/checkin/3", "razor.register")
    one = loop_of
    @http.answers = [{ "action" => "none" }, { "action" => "none" }, {}]
    assert_equal 14, one.turn
    _verb, url, type, body = @http.requests.first
    assert_equal ["http://r:8150/svc/checkin/3", "application/json"], [url, type]
    assert_equal({ "hw_id" => "525400AABB02_525400AABB10", "facts" => { "a" => "1" } }, JSON.parse(body))
    one.turn
    assert_equal 2, @http.requests.length
    assert_equal 1, log.lines.grep(/registered with 1 facts/).length
    one.turn
    assert_match(/no action/, @console.last)
    assert_empty @fetched
    @host.arguments["razor.extend"] = "http://r:8150/svc/mk/extension.zip"
    @http.answers = [{ "action" => "none" }]
    one.turn
    assert_equal ["http://r:8150/svc/mk/extension.zip"], @fetched
  end

  def test_says_which_dialects_there_are
    @found = RazorMicrokernel::ServerFinder::Server.new("esperanto", "http://r", "razor.ip")
    assert_equal 5, loop_of.turn
    assert_match(/no dialect esperanto: there are hanlon, razor, razor-server/, @console.last)
  end

  def test_escapes_what_it_sends
    @facts.now = { "a" => "50% & Grüße\n" }
    one = loop_of
    @http.answers = [reply("register"), {}]
    one.turn
    sent = JSON.parse(CGI.unescape(@http.requests.last.last.sub(/\Ajson_hash=/, "")))
    assert_equal({ "@hw_id" => "525400AABB02_525400AABB10", "@attributes_hash" => @facts.now, "@last_state" => "idle" }, sent)
  end
end
