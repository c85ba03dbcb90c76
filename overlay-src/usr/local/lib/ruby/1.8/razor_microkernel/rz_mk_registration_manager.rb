# Registration: tells the server this machine's facts, and keeps what it was told.

require "razor_microkernel/rz_dialect"
require "razor_microkernel/rz_state_file"

module RazorMicrokernel
  class RegistrationManager
    # True until this machine has registered once since it started.
    FIRST_CHECKIN = "/tmp/first_checkin.yaml"

    def initialize(logger, http, facts, path = FIRST_CHECKIN)
      @logger = logger
      @http = http
      @facts = facts
      @path = path
    end

    def first?
      StateFile.read(@path) != false
    end

    # Sends the facts. Raises what the network and the server raise.
    def register(dialect, facts)
      request = dialect.registration(facts)
      dialect.registered(@http.post(request.url, request.type, request.body))
      accepted(facts)
    end

    # As `register`, unless the server knows these facts.
    def register_changes(dialect, facts)
      register(dialect, facts) if @facts.changed?(facts)
    end

    # The server has these facts.
    def accepted(facts)
      news = first? || @facts.changed?(facts)
      @facts.remember(facts)
      StateFile.write(@path, false) if first?
      @logger.info("registered with #{facts.size} facts") if news
      news
    end
  end
end
