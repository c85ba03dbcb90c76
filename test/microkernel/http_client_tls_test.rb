require_relative "support"
require "openssl"
require "razor_microkernel/rz_http_client"

# HTTPS with a server and an authority of the test's own.
class HttpClientTlsTest < Support::Test
  Client = RazorMicrokernel::HttpClient
  DAY = 86_400

  # A certificate and its key; signed by `authority`, such a pair, or by itself.
  def issue(name, authority = nil, alternatives = nil, ends = DAY)
    key = OpenSSL::PKey::EC.generate("prime256v1")
    certificate = OpenSSL::X509::Certificate.new
    certificate.version = 2
    certificate.serial = rand(1 << 60)
    certificate.subject = OpenSSL::X509::Name.parse("/CN=#{name}")
    certificate.issuer = authority ? authority.first.subject : certificate.subject
    certificate.not_before = Time.now - 2 * DAY
    certificate.not_after = Time.now + ends
    certificate.public_key = key
    extensions = OpenSSL::X509::ExtensionFactory.new
    extensions.subject_certificate = certificate
    extensions.issuer_certificate = authority ? authority.first : certificate
    certificate.add_extension(extensions.create_extension("basicConstraints", authority ? "CA:FALSE" : "CA:TRUE", true))
    certificate.add_extension(extensions.create_extension("subjectAltName", alternatives)) if alternatives
    certificate.sign(authority ? authority.last : key, OpenSSL::Digest.new("SHA256"))
    [certificate, key]
  end

  def trust(pair, name = "razor.pem")
    file("certs/#{name}", pair.first.to_pem)
  end

  def client(limit = 5)
    Client.new(limit, 1000, "#{directory}/certs")
  end

  # Serves one connection after the other with the pair, and yields the port.
  def serving_tls(pair)
    plain = TCPServer.new("127.0.0.1", 0)
    context = OpenSSL::SSL::SSLContext.new
    context.cert, context.key = pair
    server = OpenSSL::SSL::SSLServer.new(plain, context)
    @requests = []
    thread = Thread.new do
      loop do
        begin
          socket = server.accept
          @requests << read_request(socket)
          socket.write("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine")
          socket.close
        rescue OpenSSL::SSL::SSLError, SystemCallError, EOFError
          nil
        end
      end
    end
    yield plain.addr[1]
  ensure
    thread.kill
    plain.close
  end

  # Closed with a request half read, a connection would be reset.
  def read_request(socket)
    text = +""
    text << socket.readpartial(4096) until text.include?("\r\n\r\n")
    wanted = text.index("\r\n\r\n") + 4 + text[/^content-length: (\d+)/i, 1].to_i
    text << socket.readpartial(4096) while text.bytesize < wanted
    text
  end

  def refusal(pair, host = "127.0.0.1")
    serving_tls(pair) do |port|
      error = assert_raises(Client::Failure) { client.get("https://#{host}:#{port}/") }
      assert_empty @requests
      return error.message
    end
  end

  def setup
    super
    @authority = issue("an authority")
    trust(@authority)
  end

  def test_talks_to_a_server_that_an_authority_of_the_image_vouches_for
    serving_tls(issue("x", @authority, "IP:127.0.0.1,DNS:localhost")) do |port|
      ["127.0.0.1", "localhost"].each { |host| assert_equal [200, "fine"], client.get("https://#{host}:#{port}/").to_a.first(2) }
      assert_equal 200, client.post("https://127.0.0.1:#{port}/x", "application/json", "{}").code
      assert_match(/\APOST \/x .*\{\}\z/m, @requests.last)
    end
  end

  def test_sends_nothing_to_a_server_that_nobody_vouches_for
    assert_match(/certificate verify failed/, refusal(issue("localhost", issue("another authority"), "IP:127.0.0.1")))
    assert_match(/certificate verify failed/, refusal(issue("localhost", nil, "IP:127.0.0.1")))
  end

  def test_sends_nothing_to_a_server_of_another_name_or_of_an_earlier_time
    assert_match(/does not match|hostname/i, refusal(issue("localhost", @authority, "DNS:elsewhere")))
    assert_match(/does not match|hostname/i, refusal(issue("localhost", @authority, "DNS:localhost")))
    assert_match(/expired/, refusal(issue("x", @authority, "IP:127.0.0.1", -DAY)))
  end

  def test_a_file_that_is_no_certificate_takes_nothing_from_the_others
    file("certs/a.pem", "nonsense")
    file("certs/b.crt", "")
    trust(@authority, "z.crt")
    serving_tls(issue("x", @authority, "IP:127.0.0.1")) { |port| assert_equal 200, client.get("https://127.0.0.1:#{port}/").code }
  end

  def test_an_image_without_certificates_trusts_nobody
    FileUtils.rm_rf("#{directory}/certs")
    assert_match(/certificate verify failed/, refusal(issue("localhost", @authority, "IP:127.0.0.1")))
  end

  def test_says_what_is_wrong_where_there_is_no_tls
    answer = lambda do |socket|
      socket.readpartial(4096)
      socket.write("HTTP/1.0 200 OK\r\n\r\n")
    end
    serving(answer, lambda { |url|
      error = assert_raises(Client::Failure) { client.get(url.sub("http:", "https:")) }
      assert_match(/SSL/, error.message)
    })
    silent = lambda { |_socket| sleep 3 }
    serving(silent, lambda { |url|
      error = assert_raises(Client::Failure) { client(1).get(url.sub("http:", "https:")) }
      assert_match(/no answer within 1 s|execution expired|timeout/i, error.message)
    })
  end
end
