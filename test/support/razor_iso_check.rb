# The checks of a Razor server on a Microkernel's ISO: usage: razor_iso_check.rb NAME.iso DIRECTORY SECONDS
# DIRECTORY is the unpacked ISO, SECONDS the expected build time since 1970. Prints each refusal on a line of its own.
# Source of the rules: Razor 0.x, project_razor/image_service/microkernel.rb (verify, set_hash_vars, version_weight) and
# slice/image.rb (the name), in our own words.

require "digest/sha2"
require "yaml"

name, directory, seconds = ARGV
refusals = []
refusals << "the name does not end in .iso" unless name =~ /\.iso\z/

file = File.join(directory, "iso-metadata.yaml")
text = File.exist?(file) ? File.read(file) : nil
# Psych 4 loads no times by default; the server's Ruby loaded whatever YAML has.
metadata = text && (YAML.respond_to?(:unsafe_load) ? YAML.unsafe_load(text) : YAML.load(text))
if metadata.is_a?(Hash)
  version = metadata["iso_version"]
  unless version.is_a?(String) && version =~ /\Av?\d+\.\d+\.\d+(\.\d+)?(\+\d+-g[0-9a-f]+)?\z/
    refusals << "no version: #{version.inspect}"
  end
  # The server writes File.join(directory, path), and keeps time.to_i.
  time = metadata["iso_build_time"]
  refusals << "the time #{time.inspect} is #{time.to_i} s" unless time.to_i == seconds.to_i
  description = metadata["hash_description"]
  digest = description["type"].split("::").inject(Object) { |scope, part| scope.const_get(part) }.new(description["bitlen"])
  %w[kernel initrd].each do |part|
    path = File.join(directory, metadata[part].to_s)
    if !File.file?(path)
      refusals << "no #{part} at #{metadata[part].inspect}"
    elsif digest.hexdigest(File.binread(path)) != metadata["#{part}_hash"]
      refusals << "another digest of the #{part}"
    end
  end
else
  refusals << "no metadata"
end

refusals.each { |refusal| puts refusal }
