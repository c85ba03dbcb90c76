# Runs a program as a daemon and starts it again when it ends.

require "razor_microkernel/rz_back_off"

module RazorMicrokernel
  class Supervisor
    # A program that ran for so many seconds was in order; the next start is immediate again.
    STEADY = 60
    # Seconds that a program may take to end.
    PATIENCE = 10
    LONGEST_DELAY = 60

    # The daemon that checks in; `programs` is the directory of the Microkernel's programs.
    def self.controller(programs, logger)
      new("rz_mk_controller", File.join(programs, "rz_mk_control_server.rb"), logger)
    end

    # `name` names the pid file and the log; `niceness` is added to the program's priority as nice(1) does. `program` is the path
    # of a Ruby program, which runs in a copy of this process, since starting Ruby takes long; or the words of another one.
    def initialize(name, program, logger, directory = "/tmp", niceness = 0)
      @name = name
      @command = program
      @logger = logger
      @niceness = niceness
      @path = File.join(directory, "#{name}.pid")
      @output = File.join(directory, "#{name}.out")
    end

    # The daemon's process id, or nil.
    def pid
      number = File.read(@path).to_i
      number if number > 1 && File.read("/proc/#{number}/cmdline").include?(title)
    rescue SystemCallError
      nil
    end

    # Starts the daemon, unless it runs; returns when its pid is written.
    def start
      return if pid
      File.delete(@path) if File.exist?(@path)
      # Of its own session and adopted by init: nothing that its starter does reaches it.
      Process.wait(fork { detach })
      wait_until(PATIENCE) { pid }
    end

    # Ends the daemon and its program; returns when both are gone.
    def stop
      number = pid
      return unless number
      signal("TERM", number)
      signal("KILL", number) unless wait_until(PATIENCE + 2) { pid.nil? }
      File.delete(@path) if File.exist?(@path)
    end

    private

    def title
      "rz_mk_supervisor:#{@name}"
    end

    def signal(name, number)
      Process.kill(name, number)
    rescue Errno::ESRCH
      nil
    end

    def wait_until(seconds)
      (seconds * 10).times do
        return true if yield
        sleep 0.1
      end
      false
    end

    def detach
      Process.setsid
      fork do
        $0 = title
        STDIN.reopen("/dev/null")
        STDOUT.reopen(@output, "a")
        STDERR.reopen(STDOUT)
        File.open("#{@path}.new", "w") { |file| file.puts(Process.pid) }
        File.rename("#{@path}.new", @path)
        supervise
      end
      exit!(0)
    end

    def supervise
      back_off = BackOff.new(1, LONGEST_DELAY)
      trap("TERM") { end_program }
      loop do
        started = Time.now
        @program = fork { run_program }
        Process.wait(@program)
        @program = nil
        back_off.succeed if Time.now - started >= STEADY
        back_off.fail
        delay = back_off.delay
        @logger.error("#{@name} ended with status #{$?.exitstatus || 'of a signal'}, next start in #{delay.round} s")
        sleep(delay)
      end
    end

    def run_program
      trap("TERM", "DEFAULT")
      lower_priority if @niceness > 0
      @command.is_a?(Array) ? exec(*@command) : run_ruby
    rescue SystemCallError
      exit!(127)
    end

    def run_ruby
      $0 = @command
      ARGV.clear
      load @command
      exit!(0)
    rescue StandardError, ScriptError => e
      warn "#{e.class}: #{e.message}", *e.backtrace
      exit!(1)
    end

    # Not by nice(1), which the image may not have.
    def lower_priority
      own = Process.getpriority(Process::PRIO_PROCESS, 0)
      Process.setpriority(Process::PRIO_PROCESS, 0, own + @niceness)
    end

    # In a trap: no logging, which may hold a lock.
    def end_program
      if @program
        signal("TERM", @program)
        (PATIENCE * 10).times do
          break if Process.wait(@program, Process::WNOHANG)
          sleep 0.1
        end
        signal("KILL", @program)
      end
      exit!(0)
    rescue Errno::ECHILD
      exit!(0)
    end
  end
end
