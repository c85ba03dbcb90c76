# JSON by the library that the image has: json of Ruby, or the gem json_pure under Ruby 1.8.

module RazorMicrokernel
  module Json
    class Error < StandardError; end

    def self.parse(text)
      load_library
      begin
        JSON.parse(text)
      rescue JSON::ParserError, TypeError, EncodingProblem => e
        raise Error, "no JSON (#{e.class})"
      end
    end

    def self.generate(value)
      load_library
      JSON.generate(value)
    end

    # Gems may be installed after this program has started, so the library is looked for at the first use.
    def self.load_library
      return if defined?(::JSON)
      begin
        require "json"
      rescue LoadError
        require "rubygems"
        require_any("json", "json/pure")
      end
    end

    def self.require_any(first, second)
      require first
    rescue LoadError
      require second
    end
    private_class_method :require_any

    # Ruby 1.8 has no encodings, and so no error of them.
    EncodingProblem = defined?(::EncodingError) ? ::EncodingError : ArgumentError
  end
end
