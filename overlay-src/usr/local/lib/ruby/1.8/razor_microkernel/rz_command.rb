# A program, or a block of Ruby, that runs in a child process and whose output is read within a time limit.

module RazorMicrokernel
  class Command
    class Failure < StandardError; end

    MAX_OUTPUT = 8 * 1024 * 1024
    CHUNK = 65536

    # Runs a program (words, no shell) and returns its output; raises Failure.
    def self.output(limit, *words)
      start(*words).output(limit)
    end

    # Whether a program ended with status 0 within the limit.
    def self.success?(limit, *words)
      output(limit, *words)
      true
    rescue Failure
      false
    end

    # Starts a program; several may run at once.
    def self.start(*words)
      new(words.join(" ")) { exec(*words) }
    end

    # The child writes its standard output into a pipe; `name` is for messages.
    def initialize(name)
      @name = name
      @reader, writer = IO.pipe
      @pid = fork do
        @reader.close
        STDIN.reopen("/dev/null")
        STDOUT.reopen(writer)
        STDERR.reopen("/dev/null", "w")
        ENV["LC_ALL"] = "C"
        begin
          yield
          STDOUT.flush
          exit!(0)
        rescue SystemCallError
          exit!(127)
        rescue StandardError, LoadError
          exit!(1)
        end
      end
      writer.close
    end

    # Everything that the child printed. Raises Failure where it does not end within `limit` seconds, prints too much, or
    # ends with another status than 0.
    def output(limit)
      text = read_until(Time.now + limit)
      raise Failure, "#{@name}: no end after #{limit} s, or too much output" unless text
      status = wait
      raise Failure, "#{@name}: not installed" if status.exitstatus == 127
      raise Failure, "#{@name}: status #{status.exitstatus || 'of a signal'}" unless status.success?
      text
    ensure
      stop
    end

    # Ends the child, whose output nobody reads.
    def stop
      @reader.close unless @reader.closed?
      return unless @pid
      begin
        Process.kill("KILL", @pid)
      rescue Errno::ESRCH
        nil
      end
      wait
    end

    private

    # The output, or nil at the deadline.
    def read_until(deadline)
      text = ""
      # A text that may grow, of bytes.
      text = text.dup
      text.force_encoding("BINARY") if text.respond_to?(:force_encoding)
      loop do
        rest = deadline - Time.now
        return nil if rest <= 0 || text.length > MAX_OUTPUT
        next unless IO.select([@reader], nil, nil, rest)
        begin
          text << @reader.readpartial(CHUNK)
        rescue EOFError
          return text
        end
      end
    end

    def wait
      Process.wait(@pid)
      @pid = nil
      $?
    end
  end
end
