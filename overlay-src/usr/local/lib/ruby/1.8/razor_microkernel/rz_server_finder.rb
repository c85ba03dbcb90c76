# Where the server is: the kernel's arguments, the configuration, the name server, the DHCP server, in this order.

require "razor_microkernel/rz_network_utils"

module RazorMicrokernel
  class ServerFinder
    PORT = 8026
    # The name under which a Razor server is known in its network.
    NAME = "razor"
    # Shown to the person at the console.
    ADVICE = "no server found: set next-server in DHCP, a name \"razor\" in DNS, or razor.ip=ADDRESS on the kernel line"

    # What was found: the dialect that a kernel argument implies (or nil), the URL, and what it was found by.
    Server = Struct.new(:dialect, :url, :source)

    def initialize(host, network)
      @host = host
      @network = network
    end

    # The server, or nil. `configured` is the URL in the configuration, or nil.
    def find(configured)
      from_kernel || from_configuration(configured) || from_network
    end

    private

    def from_kernel
      register = argument("razor.register")
      return Server.new("razor-server", register, "razor.register") if register
      %w[razor.ip razor.server].each do |name|
        value = argument(name)
        return base(value, name) if value
      end
      nil
    end

    def from_configuration(configured)
      Server.new(nil, configured, "mk_uri") if configured
    end

    def from_network
      address = @network.resolve(NAME)
      return base(address, "DNS") if address
      address = @network.next_server
      base(address, "DHCP") if address
    end

    def base(host, source)
      Server.new(nil, "http://#{NetworkUtils.authority(host, PORT)}", source)
    end

    # An argument without a value says nothing.
    def argument(name)
      value = @host.kernel_argument(name)
      value unless value.nil? || value.empty?
    end
  end
end
