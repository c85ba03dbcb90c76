# Loads, once the system runs, the extensions and kernel modules that two lists name: the image's own, or a server's.

require "fileutils"
require "razor_microkernel/rz_command"
require "razor_microkernel/rz_http_client"
require "razor_microkernel/rz_json"
require "razor_microkernel/rz_state_file"

module RazorMicrokernel
  class KernelModuleManager
    MIRROR = "/tmp/tinycorelinux"
    DOWNLOADS = "/tmp/tce-downloads"
    # Seconds for one extension or module.
    LIMIT = 120
    MAX_EXTENSION = 512 * 1024 * 1024
    # A file name without a directory, as lists may have: nothing that a path or an option could be made of.
    EXTENSION = /\A[A-Za-z0-9_][A-Za-z0-9_.+-]*\.tcz\z/
    MODULE = /\A[A-Za-z0-9_][A-Za-z0-9_.+-]*\z/
    SUFFIX = /\.ko(\.(gz|xz|zst))?\z/

    # `run` runs a program within a limit and says whether it ended well.
    def initialize(logger, configuration, mirror = MIRROR, root = "/", run = nil)
      @logger = logger
      @configuration = configuration
      @mirror = mirror
      @root = root
      @run = run || lambda { |words| Command.success?(LIMIT, *words) }
    end

    # One that cannot be loaded is logged; the others are loaded all the same.
    def load_listed
      names("mk_tce_install_list_uri", "tce-install-list.yaml").each { |name| load_extension(name) }
      names("mk_kmod_install_list_uri", "kmod-install-list.yaml").each { |name| load_module(name) }
    end

    # A module's name, a file name, or a path in the modules' directory: all mean the module.
    def load_module(entry)
      name = File.basename(entry).sub(SUFFIX, "")
      return @logger.warn("module #{entry}: no name of a module") unless name =~ MODULE
      return @logger.info("module #{name}: loaded already") if loaded?(name)
      return @logger.info("module #{name}: loaded") if @run.call(["modprobe", name])
      file = module_file(name)
      report("module #{name}", file && @run.call(["insmod", file]))
    end

    # /proc/modules has one module a line, its name first and with _ for -.
    def loaded?(name)
      File.read(File.join(@root, "proc/modules")).split("\n").any? do |line|
        line.split(" ").first == name.tr("-", "_")
      end
    rescue SystemCallError
      false
    end

    private

    def names(key, file)
      url = @configuration.mirror_url(key)
      list = url ? fetch_list(url) : StateFile.read(File.join(@mirror, file))
      list.is_a?(Array) ? list.map { |name| name.to_s } : []
    end

    # A path is one of our own mirror's, whose file is at hand.
    def fetch_list(url)
      return StateFile.read(File.join(@mirror, "#{File.basename(url)}.yaml")) unless url =~ /\Ahttp/
      answer = HttpClient.new.get(url)
      raise HttpClient::Failure, "status #{answer.code}" unless answer.code == 200
      Json.parse(answer.body)
    rescue HttpClient::Failure, Json::Error => e
      @logger.warn("list #{url}: #{e.message}")
      []
    end

    # Modules of extensions may lie beside the kernel's, compressed or not, where no table names them.
    def module_file(name)
      pattern = name.gsub(/[-_]/, "[-_]")
      %w[lib/modules usr/local/lib/modules].map do |directory|
        Dir.glob(File.join(@root, directory, "**", "#{pattern}.ko{,.gz,.xz,.zst}"))
      end.flatten.sort.first
    end

    def load_extension(name)
      return @logger.warn("extension #{name}: no name of an extension") unless name =~ EXTENSION
      path = Dir.glob(File.join(@mirror, "*", "*", "tcz", name)).sort.first || download(name)
      return @logger.warn("extension #{name}: not in the mirror") unless path
      # Tiny Core's own tce-load refuses to run as root and uses sudo; where there is no sudo, root is what it takes.
      if @run.call(["which", "sudo"])
        report("extension #{name}", @run.call(["su", "tc", "-c", "tce-load -i '#{path}'"]))
      else
        report("extension #{name}", @run.call(["tce-load", "-i", path]))
      end
    end

    # Fetches an extension, and what it depends on, from the configured mirror; returns its path, or nil.
    def download(name)
      mirror = @configuration.mirror_url("mk_tce_mirror_uri")
      own = Dir.glob(File.join(@mirror, "*", "*", "tcz")).sort.first
      return nil unless mirror =~ /\Ahttp/ && own
      FileUtils.mkdir_p(DOWNLOADS)
      from = "#{mirror.sub(/\/+\z/, '')}/#{own.split('/')[-3..-1].join('/')}"
      wanted = [name]
      # The list grows while it is read.
      wanted.each { |one| wanted.concat(fetch_extension(from, one) - wanted) }
      File.join(DOWNLOADS, name)
    rescue HttpClient::Failure, SystemCallError => e
      @logger.warn("extension #{name}: #{e.message}")
      nil
    end

    # Saves one extension; returns the names that it depends on.
    def fetch_extension(from, name)
      client = HttpClient.new(LIMIT, MAX_EXTENSION)
      answer = client.get("#{from}/#{name}")
      raise HttpClient::Failure, "#{name}: status #{answer.code}" unless answer.code == 200
      File.open(File.join(DOWNLOADS, name), "wb") { |file| file.write(answer.body) }
      dependencies = client.get("#{from}/#{name}.dep")
      return [] unless dependencies.code == 200
      File.open(File.join(DOWNLOADS, "#{name}.dep"), "wb") { |file| file.write(dependencies.body) }
      dependencies.body.split(/\s+/).select { |one| one =~ EXTENSION }
    end

    def report(what, done)
      done ? @logger.info("#{what}: loaded") : @logger.warn("#{what}: not loaded")
    end
  end
end
