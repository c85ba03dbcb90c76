# The Microkernel's configuration and version. A server may send another configuration at each check-in: what it knows
# replaces ours, and what is no configuration is refused value by value.

require "razor_microkernel/rz_state_file"

module RazorMicrokernel
  class ConfigurationManager
    CONFIGURATION = "/tmp/mk_conf.yaml"
    VERSION = "/tmp/mk-version.yaml"

    TEXT = lambda { |value| value.is_a?(String) }
    SECONDS = lambda { |value| value.is_a?(Numeric) && value >= 0 && value <= 86400 }
    INTERVAL = lambda { |value| SECONDS.call(value) && value >= 1 }
    PATH = lambda { |value| value.is_a?(String) && value =~ /\A\// }
    URL = lambda { |value| value.is_a?(String) && value =~ /\Ahttps?:\/\/[^\s\/]+\S*\z/ }
    URL_OR_PATH = lambda { |value| URL.call(value) || PATH.call(value) }
    PORT = lambda { |value| value.is_a?(Integer) && value > 0 && value < 65536 }
    DIALECT = lambda { |value| %w[razor razor-server hanlon].include?(value) }
    LEVEL = lambda { |value| value.to_s =~ /\A(Logger::)?(DEBUG|INFO|WARN|ERROR|FATAL)\z/ }
    PATTERN = lambda do |value|
      begin
        value.is_a?(String) && Regexp.new(value)
      rescue RegexpError
        false
      end
    end

    # Every key that the Microkernel reads, and the values that it accepts.
    KEYS = {
      "mk_uri" => URL,
      "mk_dialect" => DIALECT,
      "mk_register_path" => PATH,
      "mk_checkin_path" => PATH,
      "mk_checkin_interval" => INTERVAL,
      "mk_checkin_skew" => SECONDS,
      "mk_fact_excl_pattern" => PATTERN,
      "mk_log_level" => LEVEL,
      "mk_network_timeout" => SECONDS,
      "mk_reboot_interval" => SECONDS,
      "mk_tce_mirror_port" => PORT,
      "mk_tce_mirror_uri" => URL_OR_PATH,
      "mk_tce_install_list_uri" => URL_OR_PATH,
      "mk_kmod_install_list_uri" => URL_OR_PATH,
      "mk_gem_mirror_uri" => URL_OR_PATH,
      "mk_gemlist_uri" => URL_OR_PATH
    }

    # `refused`: sentences, one for each value of the file that is not accepted.
    attr_reader :refused

    def initialize(configuration = CONFIGURATION, version = VERSION)
      @path = configuration
      @version = StateFile.read_hash(version)
      @values, @refused = sort_out(StateFile.read_hash(configuration))
    end

    def version
      @version.fetch("mk_version", "unknown")
    end

    # The server's URL as configured, without a slash at its end, or nil: then the server is searched. This machine itself is
    # no server; old configurations name it for want of a better one.
    def uri
      value = @values["mk_uri"]
      value.sub(/\/+\z/, "") unless value.nil? || value =~ /\Ahttps?:\/\/(localhost|127\.[\d.]+|\[::1\])([:\/]|\z)/
    end

    # The name of the protocol that the server speaks, or nil for the default.
    def dialect
      @values["mk_dialect"]
    end

    # A path below the server's URL, or `default`: each dialect has its own.
    def checkin_path(default)
      @values.fetch("mk_checkin_path", default)
    end

    def register_path(default)
      @values.fetch("mk_register_path", default)
    end

    # Seconds between two check-ins; `default` is the dialect's.
    def checkin_interval(default)
      @values.fetch("mk_checkin_interval", default)
    end

    # The first check-in is delayed by up to so many seconds.
    def checkin_skew
      @values.fetch("mk_checkin_skew", 5)
    end

    def log_level
      @values.fetch("mk_log_level", "INFO")
    end

    # Seconds to wait for an address at boot.
    def network_timeout
      @values.fetch("mk_network_timeout", 60)
    end

    # Seconds that this machine is up before it obeys an order to restart, so that no two restarts are closer.
    def reboot_interval
      @values.fetch("mk_reboot_interval", 300)
    end

    def mirror_port
      @values.fetch("mk_tce_mirror_port", 2157)
    end

    # The URLs of lists and of the mirror, or nil: then the image's own are used.
    def mirror_url(key)
      @values[key]
    end

    # Names of facts that are not reported.
    def excluded_facts
      Regexp.new(@values.fetch("mk_fact_excl_pattern", "(?!)"))
    end

    # Takes over what a server sent, a hash; returns whether something changed, and sentences about what was refused. Keys
    # that it does not send stay as they are: so does the server that was found.
    def merge(sent)
      accepted, refused = sort_out(sent)
      merged = @values.merge(accepted)
      changed = merged != @values
      @values = merged
      [changed, refused]
    end

    # Writes the configuration for programs that start later. Raises SystemCallError.
    def save
      StateFile.write(@path, @values)
    end

    # Stops using the configured server.
    def forget_uri
      @values.delete("mk_uri")
    end

    private

    def sort_out(values)
      accepted = {}
      refused = []
      values.keys.sort_by { |key| key.to_s }.each do |key|
        # Servers' own keys, such as mk_-less ones of newer servers, are none of ours.
        next unless key.is_a?(String) && KEYS.key?(key)
        if KEYS[key].call(values[key])
          accepted[key] = values[key]
        elsif !values[key].nil?
          refused << "#{key} cannot be #{values[key].inspect.slice(0, 80)}"
        end
      end
      [accepted, refused]
    end
  end
end
