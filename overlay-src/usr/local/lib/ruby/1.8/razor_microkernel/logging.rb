# Log files of the Microkernel's programs, and the line on the console that tells a person what to do.

require "logger"

module RazorMicrokernel
  module Logging
    DIRECTORY = "/var/log"
    # The image lives in memory: a log has at most two files of this size.
    KEPT_FILES = 2
    MAX_BYTES = 512 * 1024
    LEVELS = {
      "DEBUG" => Logger::DEBUG,
      "INFO" => Logger::INFO,
      "WARN" => Logger::WARN,
      "ERROR" => Logger::ERROR,
      "FATAL" => Logger::FATAL
    }

    # A logger that writes to /var/log/rz_mk_<name>.log; an unknown level name means INFO.
    def self.logger_for(name, level, directory = DIRECTORY)
      logger = Logger.new(File.join(directory, "rz_mk_#{name}.log"), KEPT_FILES, MAX_BYTES)
      logger.level = level(level)
      logger
    end

    # The level of a name, with or without "Logger::" as servers send it.
    def self.level(name)
      LEVELS.fetch(name.to_s.sub(/\ALogger::/, "").upcase, Logger::INFO)
    end

    # Shows a line on the machine's console; a machine without a console has nobody to read it.
    def self.console(line, device = "/dev/console")
      File.open(device, "w") { |console| console.puts(line) }
    rescue SystemCallError
      nil
    end
  end
end
