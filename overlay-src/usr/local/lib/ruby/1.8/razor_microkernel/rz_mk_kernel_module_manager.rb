# Loads, once the system runs, the extensions and kernel modules that two lists in the local mirror name.

require "yaml"

module RazorMicrokernel
  class KernelModuleManager
    MIRROR = "/tmp/tinycorelinux"

    def initialize(logger, mirror = MIRROR)
      @logger = logger
      @mirror = mirror
    end

    # One that cannot be loaded is logged; the others are loaded all the same.
    def load_listed
      read("tce-install-list.yaml").each { |name| load_extension(name) }
      read("kmod-install-list.yaml").each { |name| try("module #{name}", "modprobe", name) }
    end

    private

    def read(file)
      path = File.join(@mirror, file)
      names = File.exist?(path) ? YAML.load(File.read(path)) : nil
      names.is_a?(Array) ? names.map { |name| name.to_s } : []
    end

    def load_extension(name)
      path = Dir.glob(File.join(@mirror, "*", "*", "tcz", name)).sort.first
      return @logger.warn("extension #{name}: not in #{@mirror}") unless path
      # Tiny Core's own tce-load refuses to run as root and uses sudo; where there is no sudo, root is what it takes.
      if system("command -v sudo >/dev/null 2>&1")
        try("extension #{name}", "su", "tc", "-c", "tce-load -i '#{path}'")
      else
        try("extension #{name}", "tce-load", "-i", path)
      end
    end

    def try(what, *command)
      system(*command) ? @logger.info("#{what}: loaded") : @logger.warn("#{what}: not loaded")
    end
  end
end
