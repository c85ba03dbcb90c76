# One HTTP request with a time limit for all of it and a size limit for the answer. It follows no redirect and uses no
# proxy: the machine talks to its server or to nobody.

require "net/http"
require "timeout"
require "uri"

module RazorMicrokernel
  class HttpClient
    # What went wrong, in words for the log.
    class Failure < StandardError; end
    # Status as a number, body as a string, headers by their names.
    Answer = Struct.new(:code, :body, :headers)

    TIME_LIMIT = 10
    SIZE_LIMIT = 1024 * 1024
    # Certificates of authorities, in PEM, beside those where this image's OpenSSL looks by itself.
    CERTIFICATES = "/usr/local/etc/ssl/certs"

    def initialize(time_limit = TIME_LIMIT, size_limit = SIZE_LIMIT, certificates = CERTIFICATES)
      @time_limit = time_limit
      @size_limit = size_limit
      @certificates = certificates
    end

    def get(url, headers = {})
      exchange(url) { |path| Net::HTTP::Get.new(path, headers) }
    end

    # Posts `body`, a string, with the content type.
    def post(url, type, body)
      exchange(url) do |path|
        request = Net::HTTP::Post.new(path, "Content-Type" => type)
        request.body = body
        request
      end
    end

    private

    def exchange(url)
      uri = parse(url)
      request = yield(uri.request_uri)
      Timeout.timeout(@time_limit) { answer(connection(uri), request) }
    rescue Timeout::Error
      raise Failure, "no answer within #{@time_limit} s"
    rescue Failure
      raise
    rescue StandardError => e
      # Of the network, of TLS, or of an answer that is no HTTP: each library has classes of its own.
      raise Failure, "#{e.message} (#{e.class})"
    end

    def parse(url)
      uri = URI.parse(url)
      raise Failure, "no http: or https: URL: #{url}" unless uri.is_a?(URI::HTTP) && uri.host
      uri
    rescue URI::InvalidURIError
      raise Failure, "no URL: #{url}"
    end

    def connection(uri)
      http = Net::HTTP.new(uri.host.sub(/\A\[/, "").sub(/\]\z/, ""), uri.port, nil)
      http.open_timeout = @time_limit
      http.read_timeout = @time_limit
      secure(http) if uri.scheme == "https"
      http
    end

    # The certificate is always checked: Ruby 1.8 would not by itself.
    def secure(http)
      require "net/https"
      http.use_ssl = true
      http.verify_mode = OpenSSL::SSL::VERIFY_PEER
      http.cert_store = trusted
    rescue LoadError
      raise Failure, "this image's Ruby has no TLS"
    end

    def trusted
      store = OpenSSL::X509::Store.new
      store.set_default_paths
      Dir.glob(File.join(@certificates, "*.{crt,pem}")).sort.each { |path| add(store, path) }
      store
    end

    # A file that is no certificate, or one that is there already, takes nothing from the others.
    def add(store, path)
      store.add_file(path)
    rescue OpenSSL::X509::StoreError
      nil
    end

    def answer(http, request)
      body = []
      size = 0
      response = http.start do |started|
        started.request(request) do |incoming|
          incoming.read_body do |chunk|
            size += chunk.length
            raise Failure, "an answer of more than #{@size_limit} bytes" if size > @size_limit
            body << chunk
          end
        end
      end
      redirect = response["location"]
      raise Failure, "a redirect to #{redirect}, which is not followed" if response.code =~ /\A3/ && redirect
      Answer.new(response.code.to_i, body.join, response)
    end
  end
end
