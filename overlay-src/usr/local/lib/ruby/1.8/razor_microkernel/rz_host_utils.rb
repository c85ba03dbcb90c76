# This machine: its network cards, its identifiers, the arguments of its kernel, and how it restarts.

require "razor_microkernel/rz_command"

module RazorMicrokernel
  class HostUtils
    # Seconds that a command may take which ends the system.
    PATIENCE = 60
    ETHERNET = "1"
    DHCP = "/etc/init.d/dhcp.sh"

    # `root` is the root of the file system; another one in tests.
    def initialize(root = "/")
      @root = root
    end

    # The addresses of the Ethernet cards in the order of their names, without colons, in upper case: a Razor server
    # compares them with what iPXE reported, as text. Bridges, VLANs and tunnels have no device behind them.
    def hardware_addresses
      cards.map { |card| read("#{card}/address").delete(":").upcase }.reject { |one| one =~ /\A0*\z/ }.uniq
    end

    # `hw_id` as servers want it; empty for a machine without a card.
    def hw_id
      hardware_addresses.join("_")
    end

    # Asks DHCP for addresses on cards that have come since the machine started.
    def ask_for_addresses
      Command.success?(PATIENCE, DHCP)
    end

    # The SMBIOS UUID in upper case, or nil.
    def uuid
      text = read("sys/class/dmi/id/product_uuid").upcase
      text.empty? ? nil : text
    end

    # The value of a kernel argument NAME=VALUE; the last one counts, as for the kernel. nil where there is none.
    def kernel_argument(name)
      words = read("proc/cmdline").split(/\s+/).select { |word| word.index("#{name}=") == 0 }
      words.empty? ? nil : words.last[(name.length + 1)..-1]
    end

    # Seconds since the kernel started; the clock of the machine may be wrong, this is not.
    def uptime
      read("proc/uptime").split.first.to_f
    end

    # `reboot` or `poweroff`; everything is in memory, but disks may be mounted.
    def leave(command)
      Command.success?(PATIENCE, "sync")
      Command.success?(PATIENCE, command)
    end

    private

    # Paths from the root: `eth2` comes before `eth10`.
    def cards
      paths = Dir.glob(File.join(@root, "sys/class/net/*")).map { |path| "sys/class/net/#{File.basename(path)}" }
      ethernet = paths.select do |path|
        read("#{path}/type") == ETHERNET && File.exist?(File.join(@root, path, "device"))
      end
      ethernet.sort_by { |path| [path.sub(/\d+\z/, ""), path[/\d+\z/].to_i] }
    end

    # A file's text without the line's end; empty where it cannot be read.
    def read(path)
      File.read(File.join(@root, path)).strip
    rescue SystemCallError
      ""
    end
  end
end
