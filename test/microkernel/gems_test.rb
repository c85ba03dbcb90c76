require_relative "support"
require "open3"
require "razor_microkernel/rz_mk_gem_controller"

class GemsTest < Support::Test
  def home
    "homes/#{RbConfig::CONFIG['ruby_version']}"
  end

  def laid_out
    RazorMicrokernel::LaidOutGems.new("#{directory}/gems", "#{directory}/homes")
  end

  def controller
    RazorMicrokernel::GemController.new(log, "#{directory}/gems", laid_out)
  end

  def carry(name)
    file("gems/#{name}.gem", "")
    short = name.sub(/-[0-9.]+\z/, "")
    file("#{home}/gems/#{name}/more/#{short}_of_an_image.rb", "puts %q(found)\n")
    file("#{home}/specifications/#{name}.gemspec", "# -*- encoding: utf-8 -*-\n# stub: #{short} 1.0 ruby lib\0more\n")
  end

  def test_laid_out_gems_are_found_without_rubygems
    carry("one-1.0")
    carry("two-1.0")
    assert laid_out.complete?
    script = <<-SCRIPT
      require "razor_microkernel/rz_laid_out_gems"
      RazorMicrokernel::LaidOutGems.new("#{directory}/gems", "#{directory}/homes").use
      require "one_of_an_image"
      require "two_of_an_image"
      puts $LOADED_FEATURES.grep(/rubygems.rb/).length, Gem::Version.new("1"), $LOADED_FEATURES.grep(/rubygems.rb/).length
    SCRIPT
    output, status = Open3.capture2e("ruby", "--disable-gems", "-I", Support::LIBRARY, "-e", script)
    assert_equal ["found\nfound\n0\n1\n1\n", true], [output, status.success?]
  end

  def test_nothing_is_installed_where_all_gems_are_laid_out_and_a_missing_one_of_the_list_is_named
    carry("one-1.0")
    file("gems/gem.list", "one\nother # words\n")
    assert_equal [], controller.install_missing
    assert_equal ["warn: gem.list names other, and #{directory}/gems has no such gem"], log.lines
  end

  def test_a_gem_that_is_not_laid_out_is_installed
    carry("one-1.0")
    file("gems/two-1.0.gem", "")
    refute laid_out.complete?
    one = controller
    commands = []
    one.define_singleton_method(:run) { |*words| commands << words }
    one.install_missing
    assert_equal ["gem", "install", "--local", "--force"], commands.last.first(4)
    assert_includes commands.last, "#{directory}/gems/two-1.0.gem"
  end
end
