# Text from programs and servers, made fit for JSON, YAML and one line of a log.

module RazorMicrokernel
  module Text
    # The text as UTF-8; bytes that are not UTF-8 are read as Latin-1.
    def self.utf8(text)
      clean = text.to_s.unpack("U*").pack("U*")
      return clean if !clean.respond_to?(:valid_encoding?) || clean.valid_encoding?
      latin1(text)
    rescue ArgumentError
      latin1(text)
    end

    # At most 200 characters on one line, for a log or the console.
    def self.line(text)
      utf8(text.to_s.slice(0, 400)).gsub(/\s+/, " ").slice(0, 200)
    end

    def self.latin1(text)
      text.unpack("C*").pack("U*")
    end
    private_class_method :latin1
  end
end
