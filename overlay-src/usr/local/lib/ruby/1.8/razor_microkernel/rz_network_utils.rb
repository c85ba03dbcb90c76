# What the network gave this machine, as the DHCP client's script left it in /tmp.

require "ipaddr"
require "resolv"
require "timeout"
require "razor_microkernel/rz_state_file"

module RazorMicrokernel
  class NetworkUtils
    # Seconds between two looks at the leases.
    PAUSE = 0.2
    # Seconds that the name server may take.
    NAME_LIMIT = 3
    # Seconds that DHCP has where a router gave an IPv6 address, which takes a moment only.
    LEASE_FIRST = 10
    # Scopes of addresses that others reach, as the kernel writes them (if_inet6: global and site).
    REACHED = %w[00 40]

    # `directory` is where the DHCP client's script writes, `root` the root of the file system.
    def initialize(directory = "/tmp", root = "/")
      @directory = directory
      @root = root
    end

    # The address of the first lease, or one of IPv6; nil when there is none after `timeout` seconds.
    def wait_for_address(timeout)
      waited = 0
      loop do
        address = first_address || (waited >= [LEASE_FIRST, timeout].min ? ipv6_address : nil)
        return address if address || waited >= timeout
        # Counted, not looked up: the clock may be set meanwhile.
        sleep PAUSE
        waited += PAUSE
      end
    end

    # An address that a router's advertisement gave, or nil. Each line: address, index, prefix length, scope, flags, interface.
    def ipv6_address
      lines = File.read(File.join(@root, "proc/net/if_inet6")).split("\n").map { |line| line.split(" ") }
      found = lines.find { |words| REACHED.include?(words[3]) }
      found && IPAddr.new(found.first.scan(/..../).join(":")).to_s
    rescue SystemCallError
      nil
    end

    def first_address
      leases.map { |lease| lease["ip"] }.compact.first
    end

    # The facts of every lease, in the order of the interfaces' names.
    def leases
      Dir.glob(File.join(@directory, "dhcp_lease.*.yaml")).sort.map { |path| StateFile.read_hash(path) }
    end

    # `siaddr` of the newest lease, or nil: a server that offers none sends 0.0.0.0 or nothing.
    def next_server
      text = File.read(File.join(@directory, "nextServerIP.addr")).strip
      text if NetworkUtils.address?(text) && text !~ /\A[0.:]+\z/
    rescue SystemCallError
      nil
    end

    # The address of a host name, from /etc/hosts or the name server, or nil. Ruby's own resolver: the C library's cannot be
    # interrupted.
    def resolve(name)
      Timeout.timeout(NAME_LIMIT) { Resolv.new([Resolv::Hosts.new, Resolv::DNS.new]).getaddress(name).to_s }
    rescue Timeout::Error, Resolv::ResolvError, SystemCallError, SocketError, IOError
      nil
    end

    def self.address?(text)
      IPAddr.new(text)
      true
    rescue ArgumentError
      false
    end

    # An address or a name, with or without a port, as the authority of a URL; `port` where it has none.
    def self.authority(host, port)
      return "[#{host}]:#{port}" if host.count(":") > 1 && host !~ /\A\[/
      host =~ /(\A[^\[\]:]+|\]):\d+\z/ ? host : "#{host}:#{port}"
    end
  end
end
