require_relative "support"
require "time"
require "zlib"
require "razor_microkernel/rz_server_extension"

class ServerExtensionTest < Support::Test
  def setup
    super
    @environment = ENV.to_hash
    @load_path = $LOAD_PATH.dup
  end

  def teardown
    ENV.replace(@environment)
    $LOAD_PATH.replace(@load_path)
    super
  end

  # A zip file with stored members (PKWARE's APPNOTE, 4.3): name → text.
  def zip(members)
    body = "".b
    directory = "".b
    members.each do |name, text|
      common = [20, 0, 0, 0, 33, Zlib.crc32(text), text.bytesize, text.bytesize, name.bytesize, 0].pack("vvvvvVVVvv")
      # Made under Unix, so that the mode in the upper half of the attributes counts.
      directory << "PK\1\2" << [0x314].pack("v") << common << [0, 0, 0, 0o100755 << 16, body.bytesize].pack("vvvVV") << name
      body << "PK\3\4" << common << name << text
    end
    count = members.length
    body + directory + "PK\5\6" + [0, 0, count, count, directory.bytesize, body.bytesize, 0].pack("vvvvVVv")
  end

  # Answers from a list, each a status and a body; keeps the headers that it was asked with.
  def http(*answers)
    @asked = []
    test = self
    Object.new.tap do |one|
      one.define_singleton_method(:get) do |_url, headers|
        test.instance_variable_get(:@asked) << headers
        status, body = answers.shift
        RazorMicrokernel::HttpClient::Answer.new(status, body, { "last-modified" => "Tue, 01 Jan 2013 00:00:00 GMT" })
      end
    end
  end

  def extension(*answers)
    RazorMicrokernel::ServerExtension.new(log, "#{directory}/extension", http(*answers))
  end

  def test_unpacks_and_adds_its_directories_and_asks_for_newer_ones_only
    one = extension([200, zip("bin/hello" => "#!/bin/sh\necho hello\n", "lib/ruby/facter/x.rb" => "")], [304, ""])
    2.times { one.refresh("http://r/x.zip") }
    assert_equal [{}, { "If-Modified-Since" => "Tue, 01 Jan 2013 00:00:00 GMT" }], @asked
    assert_equal "hello\n", RazorMicrokernel::Command.output(10, "hello")
    assert_equal "#{directory}/extension/lib/ruby", ENV["RUBYLIB"].split(":").first
    assert_includes $LOAD_PATH, "#{directory}/extension/lib/ruby"
  end

  def test_replaces_an_older_one_whole
    one = extension([200, zip("bin/old" => "")], [200, zip("bin/new" => "")])
    2.times { one.refresh("http://r/x.zip") }
    assert_equal ["bin/new"], Dir.chdir("#{directory}/extension") { Dir.glob("bin/*") }
    assert_equal 1, ENV["PATH"].scan("#{directory}/extension/bin").length
  end

  def test_keeps_what_it_has_and_says_once_what_is_wrong
    one = extension([200, zip("bin/kept" => "")], [200, "no zip"], [404, ""], [404, ""])
    4.times { one.refresh("http://r/x.zip") }
    assert File.exist?("#{directory}/extension/bin/kept")
    assert_equal 1, log.lines.grep(/no extension from .*status 404/).length
    assert_equal 1, log.lines.grep(/no extension from .*unzip/).length
  end
end
