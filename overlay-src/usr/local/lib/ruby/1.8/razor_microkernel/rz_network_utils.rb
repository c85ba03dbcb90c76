# What the network gave this machine, as the DHCP client's script left it in /tmp.

require "yaml"

module RazorMicrokernel
  module NetworkUtils
    LEASES = "/tmp/dhcp_lease.*.yaml"
    NEXT_SERVER = "/tmp/nextServerIP.addr"
    # Seconds between two looks.
    PAUSE = 0.5

    # The address of the first lease, or nil when there is none after `timeout` seconds.
    def self.wait_for_address(timeout)
      give_up = Time.now + timeout
      loop do
        address = first_address
        return address if address || Time.now >= give_up
        sleep PAUSE
      end
    end

    def self.first_address
      leases.map { |lease| lease["ip"] }.compact.first
    end

    # The facts of every lease, in the order of the interfaces' names.
    def self.leases
      Dir.glob(LEASES).sort.map { |path| YAML.load(File.read(path)) }.select { |lease| lease.is_a?(Hash) }
    end

    def self.next_server
      File.read(NEXT_SERVER).strip if File.exist?(NEXT_SERVER)
    end
  end
end
