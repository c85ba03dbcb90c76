require_relative "support"
require "razor_microkernel/rz_http_client"

class HttpClientTest < Support::Test
  Client = RazorMicrokernel::HttpClient

  def failure(text, client = Client.new(1, 1000))
    answer = lambda do |socket|
      socket.readpartial(4096)
      text.respond_to?(:call) ? text.call(socket) : socket.write(text)
    end
    error = nil
    serving(answer, lambda { |url| error = assert_raises(Client::Failure) { client.get(url) } })
    error.message
  end

  def test_returns_status_and_body
    answer = lambda do |socket|
      socket.readpartial(4096)
      socket.write("HTTP/1.0 500 No\r\nContent-Length: 3\r\n\r\nsad")
    end
    serving(answer, lambda { |url|
      got = Client.new.get("#{url}/x?y=1")
      assert_equal [500, "sad"], [got.code, got.body]
    })
  end

  def test_follows_no_redirect
    assert_match(/a redirect to http:\/\/elsewhere\/, which is not followed/,
                 failure("HTTP/1.0 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"))
  end

  def test_stops_at_a_huge_answer
    endless = lambda do |socket|
      socket.write("HTTP/1.0 200 OK\r\n\r\n")
      loop { socket.write("x" * 4096) }
    end
    assert_match(/more than 1000 bytes/, failure(endless))
  end

  def test_gives_up_on_a_silent_and_on_a_trickling_server
    started = Time.now
    assert_match(/no answer within 1 s/, failure(lambda { |_socket| sleep 3 }))
    trickle = lambda { |socket| 30.times { socket.write("H"); sleep 0.2 } }
    assert_match(/no answer within 1 s/, failure(trickle))
    assert_operator Time.now - started, :<, 10
  end

  def test_says_what_is_wrong_with_rubbish_and_with_urls
    refute_empty failure("this is no HTTP\r\n\r\n")
    assert_match(/no http: or https: URL/, assert_raises(Client::Failure) { Client.new.get("ftp://x/") }.message)
    assert_match(/URL/, assert_raises(Client::Failure) { Client.new.get("http://:8026") }.message)
  end

  def test_names_a_server_that_is_not_there
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    error = assert_raises(Client::Failure) { Client.new.get("http://127.0.0.1:#{port}/") }
    assert_match(/refused/i, error.message)
  end

  def test_uses_no_proxy
    ENV["http_proxy"] = "http://127.0.0.1:1"
    answer = lambda do |socket|
      socket.readpartial(4096)
      socket.write("HTTP/1.0 200 OK\r\n\r\n")
    end
    serving(answer, lambda { |url| assert_equal 200, Client.new.get(url).code })
  ensure
    ENV.delete("http_proxy")
  end
end
