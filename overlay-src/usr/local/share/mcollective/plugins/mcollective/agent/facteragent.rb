# Tells the facts of this machine.

require "razor_microkernel/rz_mk_configuration_manager"
require "razor_microkernel/rz_mk_fact_manager"

module MCollective
  module Agent
    class Facteragent < RPC::Agent
      # MCollective 2.0 takes no timeout from the DDL.
      def startup_hook
        @timeout = 180
      end

      action "getall" do
        reply[:facts] = YAML.dump(facts)
      end

      private

      # Those of the controller's last turn; a machine without a server has had none.
      def facts
        known = RazorMicrokernel::StateFile.read_hash(RazorMicrokernel::FactManager::FACTS)
        return known unless known.empty?
        RazorMicrokernel::FactManager.new(Log, RazorMicrokernel::ConfigurationManager.new).collect
      end
    end
  end
end
