# The text that lshw prints for one class of hardware, read into hashes. No knowledge of facts.

module RazorMicrokernel
  module Lshw
    # A line "  *-network:0 DISABLED": how far it is indented, the name, and what follows it.
    HEAD = /\A(\s*)\*-([A-Za-z_-]+\d*)(?::\d+)?(?:\s+([A-Z]+))?\s*\z/
    # What lshw says only once on some machines and several times on others.
    ALWAYS_LISTS = %w[cpu disk network]

    # name → hash of properties, or `<name>_array` → list of hashes, with parts inside in the same way. Parts that are
    # disabled are left out.
    def self.parse(text)
      top = { :indent => -1, :parts => [] }
      open = [top]
      text.split(/\r?\n/).each do |line|
        if (head = HEAD.match(line))
          part = { :indent => head[1].length, :name => head[2], :mark => head[3], :values => {}, :parts => [] }
          open.pop while open.last[:indent] >= part[:indent]
          open.last[:parts] << part
          open << part
        elsif open.length > 1 && line =~ /\A\s+([^:]+?):\s?(.*)\z/
          # The pattern's first group is a name of several words.
          name, value = $1, $2
          # A disk with file systems has its own logical name first and the places where they are mounted after it.
          open.last[:values][key(name)] ||= value.strip
        end
      end
      group(top[:parts])
    end

    def self.key(name)
      name.strip.gsub(/\s+/, "_").gsub(".", "").sub(/\A#/, "number")
    end

    def self.group(parts)
      kept = parts.reject { |part| part[:mark] == "DISABLED" }
      counts = Hash.new(0)
      kept.each { |part| counts[part[:name]] += 1 }
      kept.inject({}) do |hash, part|
        values = part[:values].merge(group(part[:parts]))
        name = part[:name]
        if counts[name] > 1 || ALWAYS_LISTS.include?(name)
          (hash["#{name}_array"] ||= []) << values
        else
          hash[name] = values
        end
        hash
      end
    end
    private_class_method :group
  end
end
