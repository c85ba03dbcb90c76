# What the Microkernel says to each kind of server and what it understands of the answer. One class a server; no network.
# Sources: Razor 0.x, project_razor/slice/node.rb; razor-server 1.9, app.rb; Hanlon 2, web_service/node/api_v1.rb.

require "cgi"
require "razor_microkernel/rz_json"

module RazorMicrokernel
  # A request: :get or :post, the whole URL, and for a post its content type and body.
  Request = Struct.new(:verb, :url, :type, :body)
  # An answer: the action (none, register, reboot, poweroff, or the server's own word), and the configuration that the server
  # sent, or nil.
  Reply = Struct.new(:action, :configuration)

  # An answer that this dialect does not know.
  class Misunderstanding < StandardError; end

  # What all dialects share; the identity and the facts come from elsewhere.
  class Dialect
    STATE = "idle"
    SUCCESS = 200..299

    # `url` is the server's, without a slash at its end; `identity` answers hw_id and uuid.
    def initialize(url, configuration, identity)
      @url = url
      @configuration = configuration
      @identity = identity
    end

    def self.for(name)
      { "razor" => RazorDialect, "razor-server" => RazorServerDialect, "hanlon" => HanlonDialect }.fetch(name)
    end

    # Seconds between two check-ins, unless configured.
    def interval
      60
    end

    # Whether each check-in carries the facts, so that there is no registration beside it.
    def facts_in_checkin?
      false
    end

    # Raises Misunderstanding unless the registration was accepted.
    def registered(answer)
      raise Misunderstanding, "the registration was refused with status #{answer.code}" unless success?(answer)
    end

    private

    def success?(answer)
      SUCCESS.include?(answer.code)
    end

    def hash_of(answer)
      raise Misunderstanding, "status #{answer.code}" unless success?(answer)
      value = Json.parse(answer.body)
      raise Misunderstanding, "JSON that is no object" unless value.is_a?(Hash)
      value
    rescue Json::Error
      raise Misunderstanding, "an answer that is no JSON"
    end

    def query(fields)
      fields.reject { |_name, value| value.nil? }.map { |name, value| "#{name}=#{CGI.escape(value)}" }.join("&")
    end
  end

  # Razor until 2013, whose answers Hanlon kept.
  class RazorDialect < Dialect
    ACTIONS = { "acknowledge" => "none" }

    # `first`: whether the machine has not registered since it started. `facts` are not part of it.
    def checkin(first, _facts)
      path = @configuration.checkin_path("#{root}/checkin")
      Request.new(:get, "#{@url}#{path}?#{query(identification + [['last_state', STATE], ['first_checkin', first ? 'true' : nil]])}")
    end

    def reply(answer)
      hash = hash_of(answer)
      raise Misunderstanding, "errcode #{hash['errcode'].inspect}" unless hash["errcode"] == 0
      response = hash["response"]
      command = response.is_a?(Hash) ? response["command_name"] : nil
      raise Misunderstanding, "no command_name" unless command.is_a?(String)
      sent = hash["client_config"]
      Reply.new(ACTIONS.fetch(command, command), sent.is_a?(Hash) ? sent : nil)
    end

    # The server reads one form field, and strips the @ of the names in it.
    def registration(facts)
      text = Json.generate("@hw_id" => @identity.hw_id, "@attributes_hash" => facts, "@last_state" => STATE)
      Request.new(:post, register_url, "application/x-www-form-urlencoded", "json_hash=#{CGI.escape(text)}")
    end

    private

    def root
      "/razor/api/node"
    end

    def register_url
      "#{@url}#{@configuration.register_path("#{root}/register")}"
    end

    # Pairs, since Ruby 1.8 keeps no order in a hash.
    def identification
      [["hw_id", @identity.hw_id]]
    end
  end

  # Hanlon's Microkernels name the fields otherwise and send JSON.
  class HanlonDialect < RazorDialect
    def registration(facts)
      fields = { "mac_id" => @identity.hw_id, "attributes_hash" => facts, "last_state" => STATE }
      fields["uuid"] = @identity.uuid if @identity.uuid
      Request.new(:post, register_url, "application/json", Json.generate(fields))
    end

    private

    def root
      "/hanlon/api/v1/node"
    end

    def identification
      [["uuid", @identity.uuid], ["mac_id", @identity.hw_id]]
    end
  end

  # razor-server: one URL of its own for each machine, which the kernel's argument gives.
  class RazorServerDialect < Dialect
    def interval
      15
    end

    def facts_in_checkin?
      true
    end

    def checkin(_first, facts)
      body = Json.generate("hw_id" => @identity.hw_id, "facts" => facts)
      Request.new(:post, @url, "application/json", body)
    end

    def reply(answer)
      action = hash_of(answer)["action"]
      raise Misunderstanding, "no action" unless action.is_a?(String)
      Reply.new(action, nil)
    end
  end
end
