# Refuses what Ruby 1.8.7 does not have: usage: ruby_1_8.rb FILE...
# The syntax by the grammar of Ruby 1.8 in the parser gem; methods and constants by the lists below, which are those that
# came with 1.9 and later (Ruby's NEWS files), and those that have gone since (3.0 to 3.2).

require "parser/ruby18"

METHODS = %w[
  each_with_object require_relative to_h sum filter_map then yield_self itself dig transform_values transform_keys tally
  flat_map chunk_while slice_when bsearch define_singleton_method singleton_class public_send spawn daemon clock_gettime
  capture2 capture2e capture3 binread binwrite children each_child scrub unicode_normalize encode casecmp?
  match? delete_prefix delete_suffix byteslice prepend rotate keep_if select! sort_by! sample shuffle shuffle!
  exists? untaint taint write_timeout private_constant refine using compare_by_identity fetch_values filter filter! except
  popen3 ascii_only? 
]
CONSTANTS = %w[BasicObject Encoding Fiber Random SecureRandom Fixnum Bignum WEBrick Open3]

def walk(node, &use)
  use.call(node)
  node.children.each { |child| walk(child, &use) if child.is_a?(Parser::AST::Node) }
end

refusals = []
ARGV.each do |file|
  buffer = Parser::Source::Buffer.new(file, :source => File.read(file))
  parser = Parser::Ruby18.new
  parser.diagnostics.all_errors_are_fatal = true
  begin
    tree = parser.parse(buffer)
  rescue Parser::SyntaxError => e
    refusals << "#{file}:#{e.diagnostic.location.line}: #{e.message}"
    next
  end
  walk(tree) do |node|
    name = node.children[1].to_s
    line = "#{file}:#{node.location.line}" if node.location.expression
    refusals << "#{line}: #{name} is not in Ruby 1.8.7, or not in 3.2" if node.type == :send && METHODS.include?(name)
    refusals << "#{line}: #{name} is not in every Ruby" if node.type == :const && CONSTANTS.include?(name)
    next unless node.type == :resbody && node.children[0]
    refusals << "#{line}: rescue Exception" if node.children[0].children.any? { |one| one.children[1] == :Exception }
  end
end
puts refusals
