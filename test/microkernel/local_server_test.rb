require_relative "support"
require "json"
require "net/http"
require "razor_microkernel/rz_configuration_receiver"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_mirror"
require "razor_microkernel/rz_mk_configuration_manager"

class LocalServerTest < Support::Test
  def start(handler)
    server = RazorMicrokernel::LocalServer.new(0, log, handler)
    Thread.new { server.run }
    @port = server.port
  end

  def mirror
    file("tinycorelinux/14.x/x86_64/tcz/a.tcz", "\0content")
    file("tinycorelinux/kmod-install-list.yaml", "- loop\n- 3\n")
    file("secret", "secret")
    File.symlink("#{directory}/secret", "#{directory}/tinycorelinux/14.x/x86_64/tcz/link.tcz")
    lists = { "tce-install-list" => "tce-install-list.yaml", "kmod-install-list" => "kmod-install-list.yaml" }
    start(RazorMicrokernel::Mirror.new("/tinycorelinux", "#{directory}/tinycorelinux", lists, /\A[^\/]+\/[^\/]+\/tcz\/[^\/]+\z/))
  end

  # Status and body of a request as it is written, over a socket of its own.
  def raw(text)
    socket = TCPSocket.new("127.0.0.1", @port)
    socket.write(text)
    head, body = socket.read.split("\r\n\r\n", 2)
    [head[/\AHTTP\/1\.0 (\d+)/, 1].to_i, body]
  ensure
    socket.close
  end

  def get(path, verb = "GET")
    raw("#{verb} #{path} HTTP/1.1\r\nHost: x\r\n\r\n")
  end

  def test_serves_extensions_and_lists
    mirror
    assert_equal [200, "\0content"], get("/tinycorelinux/14.x/x86_64/tcz/a.tcz")
    assert_equal [200, "\0content"], get("/tinycorelinux/14.x/x86_64/tcz/%61.tcz?x=1")
    assert_equal [200, ""], get("/tinycorelinux/14.x/x86_64/tcz/a.tcz", "HEAD")
    assert_equal [200, '["loop","3"]'], get("/tinycorelinux/kmod-install-list")
    assert_equal [200, "[]"], get("/tinycorelinux/tce-install-list")
    assert_equal "8", Net::HTTP.start("127.0.0.1", @port) { |http| http.head("/tinycorelinux/14.x/x86_64/tcz/a.tcz")["content-length"] }
  end

  def test_serves_nothing_else
    mirror
    { "/tinycorelinux/../secret" => 403, "/tinycorelinux/14.x/%2e%2e/tcz/a.tcz" => 403, "/secret" => 404, "/" => 404,
      "/tinycorelinux/14.x/x86_64/tcz/link.tcz" => 404, "/tinycorelinux/14.x/x86_64/tcz/none.tcz" => 404,
      "/tinycorelinux/14.x/x86_64/tcz" => 404, "/tinycorelinux/kmod-install-list.yaml" => 404,
      "/tinycorelinux/14.x/x86_64/tcz/a.tcz%00" => 400, "nonsense" => 400 }.each do |path, status|
      assert_equal status, get(path).first, path
    end
    assert_equal 405, get("/tinycorelinux/kmod-install-list", "DELETE").first
    assert_equal 405, raw("POST /tinycorelinux/x HTTP/1.0\r\nContent-Length: 0\r\n\r\n").first
  end

  def test_listens_on_the_loopback_interface_only
    mirror
    listening = File.read("/proc/net/tcp").scan(/^\s*\d+: ([0-9A-F]{8}):#{format('%04X', @port)} /).flatten
    # 127.0.0.1 in the kernel's notation.
    assert_equal ["0100007F"], listening
    assert_empty File.read("/proc/net/tcp6").scan(/:#{format('%04X', @port)} 0{32}:0000 0A/)
  end

  def test_refuses_endless_heads_and_bodies
    mirror
    assert_equal 400, raw("GET /#{'x' * 20_000} HTTP/1.0\r\n\r\n").first
    assert_equal 413, raw("POST /x HTTP/1.0\r\nContent-Length: 2000000\r\n\r\n").first
    assert_equal 411, raw("POST /x HTTP/1.0\r\n\r\n").first
  end

  def post(text)
    raw("POST /setMkConfig HTTP/1.0\r\nContent-Length: #{text.bytesize}\r\n\r\n#{text}")
  end

  def test_takes_a_configuration_and_restarts_the_controller_once
    path = file("mk_conf.yaml", "mk_checkin_interval: 60\n")
    restarts = 0
    read = lambda { RazorMicrokernel::ConfigurationManager.new(path, "none") }
    start(RazorMicrokernel::ConfigurationReceiver.new(log, read, lambda { restarts += 1 }))
    assert_equal [200, '{"changed":true,"refused":[]}'], post('{"mk_checkin_interval": 5}')
    assert_equal [200, '{"changed":false,"refused":[]}'], post('{"mk_checkin_interval": 5, "x": 1}')
    status, body = post('{"mk_checkin_interval": "soon", "mk_log_level": "Logger::DEBUG"}')
    assert_equal [200, true, 1], [status, JSON.parse(body)["changed"], JSON.parse(body)["refused"].length]
    assert_equal 2, restarts
    assert_equal({ "mk_checkin_interval" => 5, "mk_log_level" => "Logger::DEBUG" }, YAML.load(File.read(path)))
    assert_equal [400, 400, 405, 404], [post("{").first, post("[1]").first, get("/setMkConfig").first, get("/x").first]
    assert_equal 2, restarts
  end

  def test_lives_after_an_error_of_its_own
    handler = Object.new
    handler.define_singleton_method(:answer) { |_verb, path, _body| path == "/bad" ? raise("oops") : ["text/plain", "fine"] }
    start(handler)
    assert_equal 500, get("/bad").first
    assert_equal [200, "fine"], get("/good")
    assert_includes log.lines, "error: RuntimeError: oops"
  end
end
