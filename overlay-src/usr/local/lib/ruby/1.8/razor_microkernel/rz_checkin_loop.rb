# The check-in loop: asks the server at intervals what to do, and does it. No failure of server or network ends it; each is
# logged once, and once more when it is over.

require "razor_microkernel/rz_back_off"
require "razor_microkernel/rz_dialect"
require "razor_microkernel/rz_http_client"
require "razor_microkernel/rz_server_finder"
require "razor_microkernel/rz_text"

module RazorMicrokernel
  class CheckinLoop
    # A state of this machine in which there is nothing to ask.
    class NotReady < StandardError; end

    # Seconds after the first failure.
    FIRST_DELAY = 5
    # Failures of a server that another server named, until it is searched again.
    TOLERATED = 3

    # Parts by name: configuration, logger, host, finder, facts, registration, http, extension, and console (takes a line).
    def initialize(parts)
      @parts = parts
      @back_off = parts[:back_off] || BackOff.new(FIRST_DELAY)
      @said = {}
      @trouble = nil
      @order = nil
      @cards = nil
    end

    def run
      # An extension of the server's may bring facts of its own.
      @parts[:facts].prepare unless host.kernel_argument("razor.extend")
      sleep(rand * configuration.checkin_skew)
      loop { sleep(turn) }
    end

    # One check-in with all that follows from it; returns the seconds until the next one.
    def turn
      started = host.uptime
      dialect = check_in
      recovered
      [dialect_interval(dialect) - (host.uptime - started), 0].max
    rescue Errno::ENOSPC
      failed("no space left in /tmp: remove files from it, or give the machine more memory")
      @back_off.delay
    rescue HttpClient::Failure, Misunderstanding, NotReady, SystemCallError => e
      failed(Text.line(e.message))
      @back_off.delay
    end

    private

    def configuration
      @parts[:configuration]
    end

    def host
      @parts[:host]
    end

    def registration
      @parts[:registration]
    end

    def check_in
      notice_cards
      raise NotReady, "no Ethernet card: plug one in, or load its driver (mk_kmod_install_list_uri)" if host.hw_id.empty?
      server = find_server
      dialect = dialect_of(server)
      facts = dialect.facts_in_checkin? ? extended_facts : nil
      request = dialect.checkin(registration.first?, facts)
      @server = server
      reply = dialect.reply(send_request(request))
      tell_registered(server, facts) if facts && registration.accepted(facts)
      apply(reply.configuration) if reply.configuration
      act(reply.action, dialect, server)
      dialect
    end

    # Core asks for addresses once, when it boots.
    def notice_cards
      before = @cards
      @cards = host.hw_id
      return if before.nil? || before == @cards
      @parts[:logger].info("the cards have changed: #{@cards}")
      host.ask_for_addresses
    end

    # A razor-server may have an extension with facts of its own.
    def extended_facts
      url = host.kernel_argument("razor.extend")
      @parts[:extension].refresh(url) unless url.nil? || url.empty?
      @parts[:facts].collect
    end

    def find_server
      @parts[:finder].find(configuration.uri) || raise(NotReady, ServerFinder::ADVICE)
    end

    def dialect_of(server)
      name = server.dialect || configuration.dialect || "razor"
      once("#{name} server #{server.url}, found by #{server.source}")
      Dialect.for(name).new(server.url, configuration, host)
    end

    def send_request(request)
      return @parts[:http].get(request.url) if request.verb == :get
      @parts[:http].post(request.url, request.type, request.body)
    end

    # The log has each sentence once.
    def once(sentence, severity = :info)
      return if @said[sentence]
      @said[sentence] = true
      @parts[:logger].send(severity, sentence)
    end

    def tell_registered(server, facts)
      @parts[:console].call("Microkernel: registered with #{server.url}, #{facts.size} facts")
    end

    def act(action, dialect, server)
      case action
      when "none" then register_changes(dialect, server)
      when "register" then register(dialect, server)
      when "reboot", "poweroff" then @order = action
      else once("the server says #{Text.line(action).inspect}, which this Microkernel does not know", :warn)
      end
      obey if @order
    end

    def register(dialect, server)
      return if dialect.facts_in_checkin?
      facts = @parts[:facts].collect
      registration.register(dialect, facts)
      tell_registered(server, facts)
    end

    def register_changes(dialect, server)
      return if dialect.facts_in_checkin?
      facts = @parts[:facts].collect
      tell_registered(server, facts) if registration.register_changes(dialect, facts)
    end

    # A server that orders a restart at each check-in must not keep the machine restarting.
    def obey
      rest = configuration.reboot_interval - host.uptime
      if @order == "reboot" && rest > 0 && host.kernel_argument("razor.reboot") != "now"
        announce_once("the server orders a restart; it waits until this machine is up for #{configuration.reboot_interval} s")
        return
      end
      announce_once("the server orders: #{@order}")
      @parts[:logger].warn("#{@order} failed") unless host.leave(@order)
    end

    def announce_once(sentence)
      @parts[:console].call("Microkernel: #{sentence}") unless @said[sentence]
      once(sentence)
    end

    def apply(sent)
      # A server that names one which did not answer does so at each check-in.
      kept = sent.reject { |key, value| key == "mk_uri" && value == @unreachable }
      changed, refused = configuration.merge(kept)
      refused.each { |sentence| once("configuration from the server: #{sentence}", :warn) }
      return unless changed
      configuration.save
      @parts[:logger].level = Logging.level(configuration.log_level)
      @parts[:logger].info("another configuration from the server")
    end

    def recovered
      @back_off.succeed
      return unless @trouble
      @trouble = nil
      @parts[:logger].info("the server answers again")
      @parts[:console].call("Microkernel: the server answers again")
    end

    def failed(message)
      @back_off.fail
      text = @server && message !~ /Ethernet|next-server|\/tmp/ ? "#{@server.url}: #{message}" : message
      if text != @trouble
        @trouble = text
        @parts[:logger].error("#{text}; trying again")
        @parts[:console].call("Microkernel: #{text}; trying again")
      end
      forget_server if @back_off.failures >= TOLERATED && configuration.uri
    end

    def forget_server
      @unreachable = configuration.uri
      configuration.forget_uri
      @parts[:logger].warn("#{@unreachable} is not used any more, the server is searched")
    end

    def dialect_interval(dialect)
      configuration.checkin_interval(dialect.interval)
    end
  end
end
