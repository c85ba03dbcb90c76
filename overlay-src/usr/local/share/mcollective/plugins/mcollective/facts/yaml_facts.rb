# The facts that MCollective filters by. It takes the place of MCollective's own source of the same name, which calls YAML in a
# way that Ruby 3.1 refuses, and knows no facts while one of its files is missing.

require "razor_microkernel/rz_state_file"

module MCollective
  module Facts
    class Yaml_facts < Base
      def load_facts_from_source
        @read_at = modified_at
        files.inject({}) { |facts, path| facts.merge(RazorMicrokernel::StateFile.read_hash(path)) }
      end

      # MCollective keeps facts for five minutes otherwise.
      def force_reload?
        modified_at != @read_at
      end

      private

      def files
        Config.instance.pluginconf["yaml"].split(File::PATH_SEPARATOR)
      end

      def modified_at
        files.map { |path| File.exist?(path) && File.mtime(path) }
      end
    end
  end
end
