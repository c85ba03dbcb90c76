# A small HTTP server for programs of this machine: it listens on the loopback interface only and knows GET, HEAD and POST.

require "socket"
require "timeout"

module RazorMicrokernel
  class LocalServer
    ADDRESS = "127.0.0.1"
    # Seconds for one request.
    LIMIT = 30
    MAX_HEAD = 16 * 1024
    MAX_BODY = 1024 * 1024
    REASONS = {
      200 => "OK", 400 => "Bad Request", 403 => "Forbidden", 404 => "Not Found", 405 => "Method Not Allowed",
      411 => "Length Required", 413 => "Payload Too Large", 500 => "Internal Server Error"
    }
    CHUNK = 65536

    # A refusal with its status.
    class Refusal < StandardError
      attr_reader :status

      def initialize(status, message)
        super(message)
        @status = status
      end
    end

    # `handler.answer(verb, path, body)` returns the content type and either a string or an open file; HEAD is asked as GET.
    # Port 0 is any free port.
    def initialize(port, logger, handler)
      @logger = logger
      @handler = handler
      @server = TCPServer.new(ADDRESS, port)
    end

    def port
      @server.addr[1]
    end

    # Serves until the process ends.
    def run
      loop { Thread.new(@server.accept) { |client| serve(client) } }
    end

    private

    def serve(client)
      Timeout.timeout(LIMIT) { exchange(client) }
    rescue Timeout::Error, SystemCallError, IOError => e
      @logger.debug("a client left: #{e.class}")
    ensure
      client.close unless client.closed?
    end

    def exchange(client)
      verb, path, length = read_head(client)
      body = length ? client.read(length) : nil
      type, content = @handler.answer(verb == "HEAD" ? "GET" : verb, path, body)
      reply(client, 200, type, content, verb == "HEAD")
    rescue Refusal => e
      reply(client, e.status, "text/plain", "#{e.message}\n", false)
      drain(client)
    rescue StandardError => e
      raise if e.is_a?(SystemCallError) || e.is_a?(IOError)
      @logger.error("#{e.class}: #{e.message}")
      reply(client, 500, "text/plain", "this is logged\n", false)
    end

    # Closed with a request half read, the connection would be reset and the answer lost.
    def drain(client)
      client.close_write
      (2 * MAX_BODY / CHUNK).times { client.readpartial(CHUNK) }
    end

    # The verb, the decoded path without the query, and the body's length (nil without a body).
    def read_head(client)
      line = read_line(client, MAX_HEAD)
      verb, target = line.split(" ")
      length = read_length(client, MAX_HEAD - line.length)
      raise Refusal.new(405, "only GET, HEAD and POST") unless %w[GET HEAD POST].include?(verb)
      raise Refusal.new(411, "POST needs a Content-Length") if verb == "POST" && !length
      raise Refusal.new(413, "at most #{MAX_BODY} bytes") if length && length > MAX_BODY
      [verb, LocalServer.decode(target), verb == "POST" ? length : nil]
    end

    def read_length(client, rest)
      length = nil
      loop do
        line = read_line(client, rest)
        rest -= line.length
        return length if line.strip.empty?
        length = $1.to_i if line =~ /\Acontent-length:\s*(\d{1,9})\s*\z/i
      end
    end

    def read_line(client, limit)
      line = ""
      while line[-1, 1] != "\n"
        raise Refusal.new(400, "a request's head of more than #{MAX_HEAD} bytes") if line.length >= limit
        byte = client.read(1)
        raise IOError, "no whole request" unless byte
        line += byte
      end
      line
    end

    # A path with its escapes decoded. Refuses what leads out of a directory.
    def self.decode(target)
      path = target.to_s.sub(/\?.*\z/m, "").gsub(/%([0-9a-fA-F]{2})/) { [$1.hex].pack("C") }
      raise Refusal.new(400, "no path") unless path[0, 1] == "/" && path !~ /[\0\\]/
      raise Refusal.new(403, "no .. in paths") if path.split("/").include?("..")
      path
    end

    def reply(client, status, type, content, head)
      size = content.is_a?(String) ? bytes(content) : content.stat.size
      client.write("HTTP/1.0 #{status} #{REASONS[status]}\r\nContent-Type: #{type}\r\nContent-Length: #{size}\r\n\r\n")
      return if head
      return client.write(content) if content.is_a?(String)
      while (chunk = content.read(CHUNK))
        client.write(chunk)
      end
    ensure
      content.close unless content.nil? || content.is_a?(String)
    end

    def bytes(text)
      text.respond_to?(:bytesize) ? text.bytesize : text.length
    end
  end
end
