require_relative "support"
require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_kernel_module_manager"

class KernelModuleTest < Support::Test
  # Programs are recorded; `failing` ones fail.
  def manager(failing = [], configuration = "")
    @ran = []
    run = lambda do |words|
      @ran << words.join(" ")
      !failing.include?(words.first)
    end
    own = RazorMicrokernel::ConfigurationManager.new(file("mk_conf.yaml", configuration), "none")
    RazorMicrokernel::KernelModuleManager.new(log, own, "#{directory}/tinycorelinux", directory, run)
  end

  def test_knows_a_loaded_module_by_its_whole_name
    file("proc/modules", "vmci_x 16384 0 - Live 0x0\nvirtio_net 53248 0 - Live 0x0\n")
    assert manager.loaded?("virtio-net")
    refute manager.loaded?("vmci")
    refute manager.loaded?("net")
  end

  def test_loads_modules_by_name_by_file_and_by_path
    file("proc/modules", "")
    one = manager
    %w[mptsas vmblock.ko kernel/drivers/net/e1000e.ko.gz].each { |entry| one.load_module(entry) }
    assert_equal ["modprobe mptsas", "modprobe vmblock", "modprobe e1000e"], @ran
  end

  def test_finds_a_compressed_file_that_no_table_names
    path = file("lib/modules/6.1/misc/vm_block.ko.gz", "")
    manager(["modprobe"]).load_module("vm-block.ko")
    assert_equal ["modprobe vm-block", "insmod #{path}"], @ran
    manager(["modprobe"]).load_module("absent")
    assert_equal "warn: module absent: not loaded", log.lines.last
  end

  def test_takes_no_option_or_command_for_a_module
    ["-r", "a;b", "", "$(reboot)"].each { |entry| manager.load_module(entry) }
    assert_equal 4, log.lines.grep(/no name of a module/).length
    assert_empty @ran
  end

  def test_loads_the_lists_of_the_image
    extension = file("tinycorelinux/14.x/x86_64/tcz/procps.tcz", "")
    file("tinycorelinux/tce-install-list.yaml", "- procps.tcz\n- absent.tcz\n- ../../x.tcz\n")
    file("tinycorelinux/kmod-install-list.yaml", "- loop\n")
    file("proc/modules", "loop 1 0 - Live 0x0\n")
    manager(["which"]).load_listed
    assert_equal ["which sudo", "tce-load -i #{extension}"], @ran
    assert_equal ["info: extension procps.tcz: loaded", "warn: extension absent.tcz: not in the mirror",
                  "warn: extension ../../x.tcz: no name of an extension", "info: module loop: loaded already"], log.lines
  end

  def test_goes_on_without_lists_and_without_their_server
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    manager([], "mk_tce_install_list_uri: http://127.0.0.1:#{port}/list\n").load_listed
    assert_empty @ran
    assert_match(/warn: list .*refused/i, log.lines.join)
  end

  def test_loads_the_lists_of_a_server
    answer = lambda do |socket|
      path = socket.readpartial(4096).split(" ")[1]
      body = path == "/modules" ? '["loop", 3]' : "<html>"
      socket.write("HTTP/1.0 200 OK\r\nContent-Length: #{body.length}\r\n\r\n#{body}")
    end
    serving(answer, lambda { |url|
      manager([], "mk_kmod_install_list_uri: #{url}/modules\nmk_tce_install_list_uri: #{url}/html\n").load_listed
    })
    assert_equal ["modprobe loop", "modprobe 3"], @ran
    assert_match(/warn: list .*no JSON/, log.lines.join)
  end
end
