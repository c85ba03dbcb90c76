require_relative "support"
require "razor_microkernel/rz_mk_configuration_manager"

class ConfigurationTest < Support::Test
  def configuration(text)
    RazorMicrokernel::ConfigurationManager.new(file("mk_conf.yaml", text), file("mk-version.yaml", "mk_version: 1.2.3\n"))
  end

  def test_reads_what_the_image_has
    path = File.expand_path("../../lists/microkernel.yaml", __dir__)
    own = configuration(File.read(path))
    assert_empty own.refused
    assert_nil own.uri
    assert_equal [60, 5, 60, "INFO"], [own.checkin_interval(9), own.checkin_skew, own.network_timeout, own.log_level]
    %w[memoryfree uptime_seconds load_averages_1m mountpoints_/_used].each { |name| assert_match own.excluded_facts, name }
    refute_match own.excluded_facts, "architecture"
  end

  def test_has_defaults_where_the_file_is_missing_empty_or_something_else
    [nil, "", "[]", "]", "a: [", "--- !ruby/object:Object {}\n"].each do |text|
      own = text ? configuration(text) : RazorMicrokernel::ConfigurationManager.new("#{directory}/none", "#{directory}/none")
      assert_equal [nil, 60, "INFO"], [own.uri, own.checkin_interval(60), own.log_level], text
    end
  end

  def test_refuses_wrong_values_one_by_one_and_ignores_unknown_keys
    own = configuration("mk_checkin_interval: soon\nmk_checkin_skew: -1\nmk_fact_excl_pattern: '('\nmk_uri: nowhere\n" \
                        "mk_log_level: LOUD\nmk_dialect: esperanto\nmk_network_timeout: 5\nother: 1\n3: 4\n")
    assert_equal 6, own.refused.length
    assert_equal "mk_checkin_interval cannot be \"soon\"", own.refused.first
    assert_equal [60, 5, nil, 5], [own.checkin_interval(60), own.checkin_skew, own.uri, own.network_timeout]
  end

  def test_is_no_server_itself
    %w[http://localhost:8026 http://127.0.0.1:8026 http://localhost http://[::1]:8026].each do |url|
      assert_nil configuration("mk_uri: '#{url}'\n").uri, url
    end
    assert_equal "http://localhost.example.com:8026", configuration("mk_uri: http://localhost.example.com:8026/\n").uri
  end

  def test_merges_what_a_server_sends_and_keeps_the_rest
    own = configuration("mk_uri: http://10.0.0.1:8026\nmk_checkin_interval: 60\n")
    assert_equal [true, []], own.merge("mk_checkin_interval" => 5, "mk_log_level" => "Logger::DEBUG", "mk_unknown" => 1)
    assert_equal [false, []], own.merge("mk_checkin_interval" => 5, "mk_log_level" => "Logger::DEBUG")
    assert_equal [false, ["mk_checkin_interval cannot be 0"]], own.merge("mk_checkin_interval" => 0, "mk_uri" => nil)
    assert_equal "http://10.0.0.1:8026", own.uri
    own.save
    again = RazorMicrokernel::ConfigurationManager.new("#{directory}/mk_conf.yaml", "#{directory}/mk-version.yaml")
    assert_equal [5, "http://10.0.0.1:8026", "1.2.3"], [again.checkin_interval(60), again.uri, again.version]
  end

  def test_knows_levels_by_both_names
    { "Logger::DEBUG" => 0, "DEBUG" => 0, "Logger::FATAL" => 4, "warn" => 2, "nonsense" => 1 }.each do |name, level|
      assert_equal level, RazorMicrokernel::Logging.level(name), name
    end
  end
end
