require_relative "support"
require "razor_microkernel/rz_host_utils"
require "razor_microkernel/rz_server_finder"

# The machine, its network and where its server is.
class HostTest < Support::Test
  def card(name, address, type = "1", device = true)
    file("sys/class/net/#{name}/address", "#{address}\n")
    file("sys/class/net/#{name}/type", "#{type}\n")
    FileUtils.mkdir_p(File.join(directory, "sys/class/net/#{name}/device")) if device
  end

  def host(cmdline = "")
    file("proc/cmdline", "#{cmdline}\n")
    RazorMicrokernel::HostUtils.new(directory)
  end

  # The name server knows what the test says.
  def network(names = {})
    RazorMicrokernel::NetworkUtils.new(directory, directory).tap do |one|
      one.define_singleton_method(:resolve) { |name| names[name] }
    end
  end

  def find(cmdline, configured = nil, names = {})
    server = RazorMicrokernel::ServerFinder.new(host(cmdline), network(names)).find(configured)
    server && [server.dialect, server.url, server.source]
  end

  def test_identifies_itself_by_its_ethernet_cards_in_order_and_in_upper_case
    card("eth10", "52:54:00:aa:bb:10")
    card("eth2", "52:54:00:aa:bb:02")
    card("eth2.100", "52:54:00:aa:bb:02", "1", false)
    card("lo", "00:00:00:00:00:00", "772", false)
    card("ib0", "80:00:00:48:fe:80", "32")
    card("br0", "52:54:00:aa:bb:99", "1", false)
    assert_equal "525400AABB02_525400AABB10", host.hw_id
  end

  def test_has_no_identity_without_a_card
    assert_equal "", host.hw_id
    assert_nil host.uuid
  end

  def test_takes_the_last_kernel_argument_of_a_name
    assert_equal "b", host("x razor.ip=a razor.ipx=c razor.ip=b quiet").kernel_argument("razor.ip")
    assert_nil host("quiet").kernel_argument("razor.ip")
  end

  def test_finds_the_server_by_the_kernel_line_first
    file("nextServerIP.addr", "10.0.2.2\n")
    assert_equal ["razor-server", "http://r:8150/svc/checkin/3", "razor.register"],
                 find("razor.ip=1.2.3.4 razor.register=http://r:8150/svc/checkin/3", "http://c:1")
    assert_equal [nil, "http://1.2.3.4:8026", "razor.ip"], find("razor.server=x razor.ip=1.2.3.4", "http://c:1")
    assert_equal [nil, "http://rz:9000", "razor.server"], find("razor.ip= razor.server=rz:9000")
    assert_equal [nil, "http://[fd00::1]:8026", "razor.ip"], find("razor.ip=fd00::1")
    assert_equal [nil, "http://[fd00::1]:9", "razor.ip"], find("razor.ip=[fd00::1]:9")
  end

  def test_then_by_the_configuration_the_name_server_and_dhcp
    file("nextServerIP.addr", "10.0.2.2\n")
    assert_equal [nil, "http://c:1", "mk_uri"], find("quiet", "http://c:1", "razor" => "10.9.9.9")
    assert_equal [nil, "http://10.9.9.9:8026", "DNS"], find("quiet", nil, "razor" => "10.9.9.9")
    assert_equal [nil, "http://10.0.2.2:8026", "DHCP"], find("quiet")
  end

  def test_takes_the_dialect_from_the_kernel_line
    assert_equal ["hanlon", "http://1.2.3.4:8026", "razor.ip"], find("razor.ip=1.2.3.4 razor.dialect=hanlon")
    assert_equal ["hanlon", "http://c:1", "mk_uri"], find("razor.dialect=hanlon", "http://c:1")
  end

  def test_finds_none_where_dhcp_names_none
    assert_nil find("quiet")
    ["0.0.0.0\n", "\n", "nonsense\n", "::\n"].each do |text|
      file("nextServerIP.addr", text)
      assert_nil find("quiet"), text
    end
  end

  def test_waits_for_the_first_lease
    file("dhcp_lease.eth1.yaml", "interface: 'eth1'\nip: '10.0.2.15'\n")
    file("dhcp_lease.eth0.yaml", "]broken")
    assert_equal "10.0.2.15", network.wait_for_address(0)
    FileUtils.rm(File.join(directory, "dhcp_lease.eth1.yaml"))
    assert_nil network.wait_for_address(0)
  end

  def test_takes_an_ipv6_address_that_others_reach_where_there_is_no_lease
    file("proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n" \
                              "fe80000000000000505400fffe123456 02 40 20 80     eth0\n")
    assert_nil network.wait_for_address(0)
    file("proc/net/if_inet6", "fe80000000000000505400fffe123456 02 40 20 80     eth0\n" \
                              "20010db8000000000000000000000007 02 40 00 00     eth0\n")
    assert_equal "2001:db8::7", network.wait_for_address(0)
    file("dhcp_lease.eth0.yaml", "ip: '10.0.2.15'\n")
    assert_equal "10.0.2.15", network.wait_for_address(0)
  end
end
