# The answer to POST /setMkConfig: saves a configuration that differs, and restarts the controller.

require "razor_microkernel/rz_json"
require "razor_microkernel/rz_local_server"

module RazorMicrokernel
  class ConfigurationReceiver
    PATH = "/setMkConfig"

    # `read` returns the configuration as it is now; `restart` restarts the controller and says whether it did.
    def initialize(logger, read, restart)
      @logger = logger
      @read = read
      @restart = restart
    end

    def answer(verb, path, body)
      raise LocalServer::Refusal.new(404, "only #{PATH}") unless path == PATH
      raise LocalServer::Refusal.new(405, "only POST") unless verb == "POST"
      configuration = @read.call
      changed, refused = configuration.merge(parse(body))
      refused.each { |sentence| @logger.warn("configuration: #{sentence}") }
      if changed
        configuration.save
        @logger.info("another configuration")
        @logger.error("the controller does not restart") unless @restart.call
      end
      ["application/json", Json.generate("changed" => changed, "refused" => refused)]
    end

    private

    def parse(body)
      value = Json.parse(body)
      raise LocalServer::Refusal.new(400, "no JSON object") unless value.is_a?(Hash)
      value
    rescue Json::Error
      raise LocalServer::Refusal.new(400, "no JSON")
    end
  end
end
