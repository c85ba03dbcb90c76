# Gives the Microkernel another configuration: posts it to the configuration server of this machine, which checks it value by
# value.

require "razor_microkernel/rz_http_client"
require "razor_microkernel/rz_json"

module MCollective
  module Agent
    class Configuration < RPC::Agent
      SERVER = "http://127.0.0.1:2156/setMkConfig"
      # Seconds; the server answers when the controller has restarted, and gives up after 30.
      PATIENCE = 35

      # MCollective 2.0 takes no timeout from the DDL.
      def startup_hook
        @timeout = 60
      end

      action "send_mk_config" do
        sent = request[:config_params]
        # MCollective 2.0 knows the DDL in its client only, and another client may send anything.
        reply.fail!("config_params must be a text", 4) unless sent.is_a?(String)
        answer = post(sent)
        reply[:time] = Time.now.strftime("%Y-%m-%d %H:%M:%S")
        reply[:response] = answer.headers.message
        reply.fail!("#{answer.code}: #{answer.body.strip}", 4) unless answer.code == 200
        outcome = RazorMicrokernel::Json.parse(answer.body)
        reply[:changed] = outcome["changed"]
        reply[:refused] = outcome["refused"]
      end

      private

      def post(sent)
        RazorMicrokernel::HttpClient.new(PATIENCE).post(SERVER, "application/json", sent)
      rescue RazorMicrokernel::HttpClient::Failure => e
        reply.fail!("the configuration server: #{e.message}", 5)
      end
    end
  end
end
