# A small YAML file that another program may read at any moment: written whole, or not at all.

require "yaml"

module RazorMicrokernel
  module StateFile
    # The value, or nil where the file is missing or no YAML.
    def self.read(path)
      YAML.load(File.read(path))
    rescue SystemCallError, StandardError, SyntaxError
      nil
    end

    # The hash, or an empty one where the file holds something else.
    def self.read_hash(path)
      value = read(path)
      value.is_a?(Hash) ? value : {}
    end

    # Raises SystemCallError, e.g. where the disk is full; then the old file is still there.
    def self.write(path, value)
      fresh = "#{path}.new"
      File.open(fresh, "w") { |file| file.write(YAML.dump(value)) }
      File.rename(fresh, path)
    end
  end
end
