# A zip file with which a razor-server extends the running image: programs, libraries, Ruby and facts of its own.
# Source: razor-server 1.9, documentation of microkernel.extension-zip; the kernel argument razor.extend has its URL.

require "fileutils"
require "razor_microkernel/rz_command"
require "razor_microkernel/rz_http_client"

module RazorMicrokernel
  class ServerExtension
    DIRECTORY = "/tmp/razor-extension"
    # Seconds for the download and for unpacking, bytes of the file.
    LIMIT = 60
    MAX_BYTES = 64 * 1024 * 1024
    # Where programs look for things, and the extension's directories of them.
    VARIABLES = [["PATH", "bin"], ["LD_LIBRARY_PATH", "lib"], ["RUBYLIB", "lib/ruby"]]

    def initialize(logger, directory = DIRECTORY, http = nil)
      @logger = logger
      @directory = directory
      @http = http || HttpClient.new(LIMIT, MAX_BYTES)
      @modified = nil
      @trouble = nil
    end

    # Fetches the file when it is newer than what is there; without it, the Microkernel works all the same.
    def refresh(url)
      answer = @http.get(url, @modified ? { "If-Modified-Since" => @modified } : {})
      return if answer.code == 304
      raise HttpClient::Failure, "status #{answer.code}" unless answer.code == 200
      unpack(answer)
      @trouble = nil
    rescue HttpClient::Failure, Command::Failure, SystemCallError => e
      @logger.warn("no extension from #{url}: #{e.message}") unless e.message == @trouble
      @trouble = e.message
    end

    private

    def unpack(answer)
      fresh = "#{@directory}.new"
      archive = "#{@directory}.zip"
      FileUtils.rm_rf(fresh)
      FileUtils.mkdir_p(fresh)
      File.open(archive, "wb") { |file| file.write(answer.body) }
      Command.output(LIMIT, "unzip", "-q", "-o", archive, "-d", fresh)
      FileUtils.rm_rf(@directory)
      File.rename(fresh, @directory)
      @modified = answer.headers["last-modified"]
      extend_environment
      @logger.info("another extension from the server")
    end

    # For programs that this one starts; facter runs in a fork of it.
    def extend_environment
      VARIABLES.each do |name, directory|
        path = File.join(@directory, directory)
        others = ENV[name].to_s.split(":") - [path]
        ENV[name] = [path, *others].join(":")
      end
      ruby = File.join(@directory, "lib/ruby")
      $LOAD_PATH.unshift(ruby) unless $LOAD_PATH.include?(ruby)
    end
  end
end
