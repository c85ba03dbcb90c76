# What the tests of the Microkernel's programs share: where the programs are, a logger that remembers, a directory of their own.

library = File.expand_path("../../overlay-src/usr/local/lib/ruby/1.8", __dir__)
$LOAD_PATH.unshift(library)

require "fileutils"
require "minitest/autorun"
require "socket"
require "tmpdir"

require "razor_microkernel/logging"

module Support
  LIBRARY = $LOAD_PATH.first
  PROGRAMS = File.expand_path("../../overlay-src/usr/local/bin", __dir__)

  # A logger that keeps its lines, as "severity: text".
  class Remembered
    attr_reader :lines
    attr_accessor :level

    def initialize
      @lines = []
    end

    %w[debug info warn error].each do |severity|
      define_method(severity) { |text| @lines << "#{severity}: #{text}" }
    end
  end

  class Test < Minitest::Test
    attr_reader :directory, :log

    def setup
      @directory = Dir.mktmpdir("razor mk ")
      @log = Remembered.new
    end

    def teardown
      FileUtils.rm_rf(directory)
    end

    # Writes a file below the test's directory and returns its path.
    def file(name, text)
      path = File.join(directory, name)
      FileUtils.mkdir_p(File.dirname(path))
      File.binwrite(path, text)
      path
    end

    def recorded(name)
      File.read(File.join(__dir__, "outputs", name))
    end

    # Runs a server for one connection at a time, each answered by the block's text; yields its URL to `use`.
    def serving(answer, use)
      server = TCPServer.new("127.0.0.1", 0)
      thread = Thread.new do
        loop do
          client = server.accept
          begin
            answer.call(client)
          rescue SystemCallError
            nil
          ensure
            client.close
          end
        end
      end
      use.call("http://127.0.0.1:#{server.addr[1]}")
    ensure
      thread.kill
      server.close
    end
  end
end
