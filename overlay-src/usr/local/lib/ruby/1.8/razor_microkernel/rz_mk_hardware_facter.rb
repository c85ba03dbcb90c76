# Facts that lscpu and lshw know: mk_hw_*. A program that fails loses only its own facts.

require "razor_microkernel/rz_command"
require "razor_microkernel/rz_json"
require "razor_microkernel/rz_lshw"

module RazorMicrokernel
  class HardwareFacter
    # Seconds for each program; all run at once, on a machine that may have one processor.
    LIMIT = 120

    LSCPU = %w[Architecture CPU_op-mode(s) Byte_Order CPU(s) CPU_socket(s) Socket(s) Vendor_ID CPU_family Model Model_name
               Stepping CPU_MHz BogoMIPS Virtualization L1d_cache L1i_cache L2_cache L3_cache]
    BUS = %w[description product vendor version serial physical_id]
    FIRMWARE = %w[description vendor physical_id version date size capabilities capacity]
    MEMORY = %w[description physical_id slot size]
    DISK = %w[description product vendor physical_id bus_info logical_name version serial size configuration]
    CPU = %w[description product vendor physical_id bus_info version serial slot size capacity width clock capabilities
             configuration]
    NIC = %w[description product vendor physical_id bus_info logical_name version serial size capacity width clock
             capabilities configuration]
    # Disks by lshw's names for them: of SCSI and ATA, of virtio, of NVMe.
    DISKS = /\A(disk_array|virtio\d+(_array)?|namespace(_array)?)\z/

    # `start` starts a program and returns what `output(limit)` reads; Command in the image.
    def initialize(logger, start = nil)
      @logger = logger
      @start = start || lambda { |words| Command.start(*words) }
    end

    # The programs, all at once, as pairs of words and what runs: each of them mostly waits.
    def start
      sources = [["lscpu"]] + %w[bus memory disk processor network].map { |kind| lshw(kind) }
      sources.map { |words| [words, try(words) { @start.call(words) }] }
    end

    # name → text, of what `start` gave.
    def facts(running = start)
      running.inject({}) do |facts, (words, command)|
        facts.merge(command ? try(words) { read(words, command) } || {} : {})
      end
    end

    private

    def lshw(kind)
      ["lshw", "-quiet", "-c", kind]
    end

    def try(words)
      yield
    rescue Command::Failure, SystemCallError, Json::Error => e
      @logger.warn("no facts of #{words.join(' ')}: #{e.message}")
      nil
    end

    def read(words, command)
      text = command.output(LIMIT)
      return lscpu(text) if words.first == "lscpu"
      send(words.last, Lshw.parse(text))
    end

    def lscpu(text)
      pairs = {}
      text.split("\n").each do |line|
        name, value = line.split(":", 2)
        pairs[Lshw.key(name)] = value.strip if value && !value.strip.empty?
      end
      raise Command::Failure, "nothing that can be read" if pairs.empty?
      json = pairs.reject { |name, _value| name =~ /MHz\z/ }
      flat("mk_hw_lscpu", pairs, LSCPU).merge("mk_hw_lscpu_hash_json_str" => Json.generate(json))
    end

    def bus(parts)
      json("mk_hw_bus", parts).merge(flat("mk_hw_bus", parts["core"], BUS))
    end

    def memory(parts)
      # Caches are the processor's: its own facts have them.
      kept = parts.reject { |name, _part| name =~ /\Acache/ }
      all = json("mk_hw_mem", kept).merge(flat("mk_hw_fw", parts["firmware"], FIRMWARE))
      all.merge(flat("mk_hw_mem", parts["memory"], MEMORY))
    end

    def disk(parts)
      names = parts.keys.select { |name| name =~ DISKS }.sort
      disks = names.map { |name| parts[name] }.flatten
      json("mk_hw_disk", parts).merge(list("mk_hw_disk", disks, DISK))
    end

    def processor(parts)
      # A processor's size is its speed at this moment.
      steady = (parts["cpu_array"] || []).map { |cpu| cpu.reject { |name, _value| name == "size" } }
      list("mk_hw_cpu", parts["cpu_array"], CPU).merge(json("mk_hw_proc", parts.merge("cpu_array" => steady)))
    end

    def network(parts)
      cards = (parts["network_array"] || []).map { |card| with_interface(card) }
      json("mk_hw_nw", parts).merge(list("mk_hw_nic", cards, NIC))
    end

    # A virtio card's name, address and link are those of the one part inside it.
    def with_interface(card)
      inner = card.values.select { |value| value.is_a?(Hash) && value.key?("logical_name") }
      card.key?("logical_name") || inner.length != 1 ? card : inner.first.merge(card).merge(link_of(inner.first))
    end

    def link_of(interface)
      interface.reject { |name, _value| !%w[configuration capabilities].include?(name) }
    end

    def json(prefix, parts)
      parts.inject({}) { |facts, (name, part)| facts.merge("#{prefix}_#{name}_json_str" => Json.generate(part)) }
    end

    def flat(prefix, part, names)
      (names & (part || {}).keys).inject({}) { |facts, name| facts.merge("#{prefix}_#{name}" => part[name]) }
    end

    # Counted from 1, with the count beside them.
    def list(prefix, parts, names)
      parts ||= []
      facts = { "#{prefix}_count" => parts.length.to_s }
      parts.each_with_index { |part, index| facts.update(flat("#{prefix}#{index + 1}", part, names)) }
      facts
    end
  end
end
