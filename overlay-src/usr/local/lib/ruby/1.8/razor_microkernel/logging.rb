# Log files of the Microkernel's programs. It knows nothing of what they log.

require "logger"

module RazorMicrokernel
  module Logging
    DIRECTORY = "/var/log"
    LEVELS = {
      "DEBUG" => Logger::DEBUG,
      "INFO" => Logger::INFO,
      "WARN" => Logger::WARN,
      "ERROR" => Logger::ERROR
    }

    # A logger that writes to /var/log/rz_mk_<name>.log; an unknown level name means INFO.
    def self.logger_for(name, level, directory = DIRECTORY)
      logger = Logger.new(File.join(directory, "rz_mk_#{name}.log"))
      logger.level = LEVELS.fetch(level.to_s.upcase, Logger::INFO)
      logger
    end
  end
end
