require_relative "support"
require "razor_microkernel/rz_supervisor"

class SupervisorTest < Support::Test
  def supervisor(script, niceness = 0)
    words = ["sh", "-c", script]
    @one = RazorMicrokernel::Supervisor.new("test", words, Logger.new("#{directory}/log"), directory, niceness)
  end

  def teardown
    @one.stop if @one
    super
  end

  def lines
    File.exist?("#{directory}/runs") ? File.readlines("#{directory}/runs") : []
  end

  def wait_for
    200.times do
      return true if yield
      sleep 0.05
    end
    flunk "it does not happen"
  end

  def running?(number)
    File.read("/proc/#{number}/stat").split(") ").last[0] != "Z"
  rescue SystemCallError
    false
  end

  def test_runs_one_daemon_and_ends_it_with_its_program
    one = supervisor("echo $$ >>'#{directory}/runs'; exec sleep 1000")
    assert_nil one.pid
    one.start
    first = one.pid
    one.start
    assert_equal first, one.pid
    wait_for { lines.length == 1 }
    program = lines.first.to_i
    assert running?(program)
    one.stop
    assert_nil one.pid
    refute running?(program)
    one.stop
  end

  def test_starts_the_program_again_when_it_dies_and_later_each_time
    one = supervisor("echo $$ >>'#{directory}/runs'; exit 7")
    one.start
    wait_for { lines.length >= 2 }
    assert one.pid
    log = File.read("#{directory}/log")
    assert_match(/test ended with status 7, next start in 1 s/, log)
    wait_for { File.read("#{directory}/log") =~ /next start in 2 s/ }
  end

  def test_runs_a_ruby_program_without_starting_ruby_and_starts_it_again_with_its_error_printed
    program = file("one.rb", "File.open(%q(#{directory}/runs), %q(a)) { |out| out.puts $0, ARGV.length }\nraise %q(no more)\n")
    @one = RazorMicrokernel::Supervisor.new("test", program, Logger.new("#{directory}/log"), directory)
    @one.start
    wait_for { lines.length >= 4 }
    assert_equal ["#{program}\n", "0\n"] * 2, lines.first(4)
    assert_match(/test ended with status 1/, File.read("#{directory}/log"))
    assert_match(/RuntimeError: no more\n.*one\.rb:2/, File.read("#{directory}/test.out"))
  end

  def test_lets_a_program_be_nice
    supervisor("echo $$ >>'#{directory}/runs'; exec sleep 1000", 10).start
    wait_for { lines.length == 1 }
    # proc(5): the nineteenth field, the seventeenth after the name.
    assert_equal Process.getpriority(Process::PRIO_PROCESS, 0) + 10,
                 File.read("/proc/#{lines.first.to_i}/stat").split(") ").last.split(" ")[16].to_i
  end

  def test_believes_no_old_pid_file
    one = supervisor("sleep 1000")
    [Process.pid, 999_999_999, 0].each do |number|
      file("test.pid", "#{number}\n")
      assert_nil one.pid, number.to_s
    end
    file("test.pid", "#{Process.pid}\n")
    one.start
    refute_equal Process.pid, one.pid
  end
end
