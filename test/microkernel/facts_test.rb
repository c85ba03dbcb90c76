require_relative "support"
require "json"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"

# Facts from outputs of two generations: lshw 02.19 and lscpu 2.38 were recorded on Debian 12; those of lshw B.02.15 and
# lscpu 2.20, which Tiny Core 4 has, are written in the layout that the comments of Razor's rz_mk_hardware_facter.rb show.
class FactsTest < Support::Test
  Failure = RazorMicrokernel::Command::Failure

  # Programs that print what was recorded; what was not is not installed.
  def hardware(texts)
    start = lambda do |words|
      kind = words.last
      Object.new.tap do |command|
        command.define_singleton_method(:output) do |_limit|
          texts.fetch(kind) { raise Failure, "#{kind}: not installed" }
        end
      end
    end
    RazorMicrokernel::HardwareFacter.new(log, start)
  end

  def old
    texts = { "lscpu" => recorded("lscpu-2.20.txt") }
    %w[network memory disk].each { |kind| texts[kind] = recorded("lshw-b.02.15-#{kind}.txt") }
    texts
  end

  def new
    texts = { "lscpu" => recorded("lscpu-2.38.txt") }
    %w[bus network memory disk processor].each { |kind| texts[kind] = recorded("lshw-02.19-#{kind}.txt") }
    texts
  end

  def manager(facter, hardware_facts = {}, pattern = "(?!)")
    configuration = RazorMicrokernel::ConfigurationManager.new(
      file("mk_conf.yaml", YAML.dump("mk_fact_excl_pattern" => pattern)), "none")
    hardware = Object.new.tap do |one|
      one.define_singleton_method(:start) { [] }
      one.define_singleton_method(:facts) { |_running| hardware_facts }
    end
    @started = []
    start = lambda do
      Object.new.tap do |one|
        @started << one
        stopped = @stopped = []
        one.define_singleton_method(:stop) { stopped << one }
        one.define_singleton_method(:output) do |_limit|
          raise facter if facter.is_a?(Exception)
          facter.is_a?(String) ? facter : YAML.dump(facter)
        end
      end
    end
    RazorMicrokernel::FactManager.new(log, configuration, directory, hardware, start)
  end

  def test_uses_once_what_was_prepared_and_ends_what_is_old
    one = manager("a" => "1")
    one.prepare
    2.times { assert_equal({ "a" => "1" }, one.collect) }
    assert_equal 2, @started.length
    one.prepare
    # The clock was set, or much time has passed.
    [-1, 31].each do |seconds|
      one.prepare
      one.instance_variable_get(:@prepared)[0] = Time.now - seconds
      prepared = @started.last
      assert_equal({ "a" => "1" }, one.collect)
      refute_same prepared, @started.last
    end
    assert_equal 7, @started.length
  end

  def test_counts_cards_and_disks_from_one_and_leaves_out_disabled_ones
    facts = hardware(old).facts
    assert_equal %w[1 2], [facts["mk_hw_nic_count"], facts["mk_hw_disk_count"]]
    assert_equal ["eth0", "84:2b:2b:00:00:01", "1Gbit/s"],
                 %w[logical_name serial size].map { |name| facts["mk_hw_nic1_#{name}"] }
    assert_equal ["/dev/sda", "136GiB (146GB)", "/dev/sdb"],
                 [facts["mk_hw_disk1_logical_name"], facts["mk_hw_disk1_size"], facts["mk_hw_disk2_logical_name"]]
    assert_nil facts["mk_hw_nic2_serial"]
    assert_nil facts["mk_hw_disk0_size"]
    assert_nil facts["mk_hw_disk3_size"]
  end

  def test_knows_firmware_and_memory_with_its_banks
    facts = hardware(old).facts
    assert_equal ["Dell Inc.", "36GiB"], [facts["mk_hw_fw_vendor"], facts["mk_hw_mem_size"]]
    banks = JSON.parse(facts["mk_hw_mem_memory_json_str"])["bank_array"]
    assert_equal %w[DIMM_A1 DIMM_A2], banks.map { |bank| bank["slot"] }
    assert_empty facts.keys.grep(/cache_array/)
  end

  def test_reads_old_and_new_lscpu
    facts = hardware(old).facts
    assert_equal ["i686", "2266.746", "8192K", "1"],
                 %w[Architecture CPU_MHz L3_cache CPU_socket(s)].map { |name| facts["mk_hw_lscpu_#{name}"] }
    refute_includes facts["mk_hw_lscpu_hash_json_str"], "MHz"
    assert_equal "480 MiB (1 instance)", hardware(new).facts["mk_hw_lscpu_L3_cache"]
  end

  def test_reads_new_lshw_whose_virtio_parts_have_other_names
    facts = hardware(new).facts
    assert_equal %w[1 1 1], %w[disk nic cpu].map { |part| facts["mk_hw_#{part}_count"] }
    assert_equal ["/dev/vda", "eth0", "02:fc:00:00:00:01", "Red Hat, Inc.", "Motherboard"],
                 [facts["mk_hw_disk1_logical_name"], facts["mk_hw_nic1_logical_name"], facts["mk_hw_nic1_serial"],
                  facts["mk_hw_nic1_vendor"], facts["mk_hw_bus_description"]]
    assert_match(/link=yes/, facts["mk_hw_nic1_configuration"])
  end

  def test_loses_only_the_facts_of_a_program_that_fails
    facts = hardware(new.reject { |kind, _text| %w[lscpu disk].include?(kind) }).facts
    assert_equal ["eth0", nil, nil], [facts["mk_hw_nic1_logical_name"], facts["mk_hw_disk_count"],
                                      facts["mk_hw_lscpu_Model"]]
    assert_equal 2, log.lines.grep(/warn: no facts of/).length
    assert_equal({}, hardware({}).facts)
    assert_equal ["0"], [hardware("network" => "nonsense\n*-\n").facts["mk_hw_nic_count"]]
  end

  def test_reports_flat_texts_with_clean_names_and_without_the_excluded
    facts = manager({ "os" => { "name" => "x", "release" => { "major" => 14 } }, "up" => true, "none" => nil,
                      "interfaces" => %w[eth0 lo], "a(b)=c" => 1, "memoryfree" => "1 MB", "memory" => { "free" => 1 } },
                    { "mk_hw_lscpu_CPU(s)" => "2" }, "^memory").collect
    assert_equal({ "os_name" => "x", "os_release_major" => "14", "up" => "true", "interfaces" => "eth0,lo", "abc" => "1",
                   "mk_hw_lscpu_CPUs" => "2" }, facts)
    assert_equal facts, YAML.load(File.read("#{directory}/facts.yaml"))
  end

  def test_keeps_strange_texts_whole_and_valid
    facts = manager({ "utf8" => "Grüße\nzwei", "latin1" => "Gr\xFC\xDFe".dup.force_encoding("BINARY"),
                      "huge" => "x" * 1_000_000 }).collect
    assert_equal ["Grüße\nzwei", "Grüße", 65536], [facts["utf8"], facts["latin1"], facts["huge"].length]
    assert_equal facts, JSON.parse(JSON.generate(facts))
  end

  def test_goes_on_without_facter
    facts = manager(Failure.new("facter: status 1"), "mk_hw_nic_count" => "1").collect
    assert_equal({ "mk_hw_nic_count" => "1" }, facts)
    assert_includes log.lines.join, "no facts of facter: facter: status 1"
    ["", "\e[31m", "- a\n", {}].each { |output| assert_equal({}, manager(output).collect) }
  end

  # A stand-in for the gem, which prints warnings of its own.
  def test_reads_facter_in_a_process_of_its_own_whatever_it_prints
    file("lib/facter.rb", "module Facter; def self.to_hash; puts \"\\e[31mwarning\"; { 'a' => { 'b' => nil, 'c' => [1] } }; end; end")
    $LOAD_PATH.unshift("#{directory}/lib")
    assert_equal({ "a_c" => "1" }, YAML.load(RazorMicrokernel::FactManager.start_facter.output(30)))
    file("lib/facter.rb", "raise 'broken'")
    assert_match(/status 1/, assert_raises(Failure) { RazorMicrokernel::FactManager.start_facter.output(30) }.message)
    refute defined?(::Facter)
  ensure
    $LOAD_PATH.shift
  end

  def test_knows_whether_the_server_was_told
    one = manager({ "a" => "1", "processors" => { "speed" => "2 GHz" } })
    facts = one.collect
    assert one.changed?(facts)
    one.remember(facts)
    refute one.changed?(facts)
    refute one.changed?(facts.merge("processors_speed" => "3 GHz", "mk_hw_lscpu_CPU_MHz" => "1"))
    assert one.changed?(facts.merge("b" => "1"))
    assert one.changed?({})
  end
end
