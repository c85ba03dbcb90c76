require_relative "support"
require "razor_microkernel/rz_command"

class CommandTest < Support::Test
  Command = RazorMicrokernel::Command

  def test_returns_all_output_in_the_language_c
    assert_equal "C\n", Command.output(10, "sh", "-c", "echo $LC_ALL")
    assert_equal 300_000, Command.output(10, "sh", "-c", "head -c 300000 /dev/zero").length
  end

  def test_says_why_there_is_none
    { ["no-such-program-anywhere"] => /not installed/, ["sh", "-c", "exit 3"] => /status 3/,
      ["sh", "-c", "kill -9 $$"] => /status of a signal/ }.each do |words, message|
      assert_match message, assert_raises(Command::Failure) { Command.output(10, *words) }.message
    end
    refute Command.success?(10, "false")
    assert Command.success?(10, "true")
  end

  def test_ends_what_hangs_and_what_prints_without_end
    started = Time.now
    assert_match(/no end after 1 s/, assert_raises(Command::Failure) { Command.output(1, "sleep", "30") }.message)
    assert_match(/too much output/, assert_raises(Command::Failure) { Command.output(60, "yes") }.message)
    assert_operator Time.now - started, :<, 30
  end

  def test_passes_words_without_a_shell
    assert_equal "$(id); 'x'\n", Command.output(10, "echo", "$(id); 'x'")
  end

  def test_runs_ruby_in_a_child
    assert_equal "done", Command.new("block") { STDOUT.write("done") }.output(10)
    assert_raises(Command::Failure) { Command.new("block") { raise "no" }.output(10) }
  end
end
