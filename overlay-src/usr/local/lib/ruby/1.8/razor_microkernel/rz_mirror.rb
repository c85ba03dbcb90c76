# Files of a directory, and lists made of YAML files, as answers of a local server.

require "pathname"
require "razor_microkernel/rz_json"
require "razor_microkernel/rz_local_server"
require "razor_microkernel/rz_state_file"

module RazorMicrokernel
  class Mirror
    # `prefix`: the path that stands for `directory`. `lists`: paths below the prefix → names of YAML files that are served as
    # JSON arrays. `files`: a pattern of the paths below the prefix that are served as they are.
    def initialize(prefix, directory, lists, files)
      @prefix = prefix
      @directory = directory
      @lists = lists
      @files = files
    end

    def answer(verb, path, _body)
      raise LocalServer::Refusal.new(405, "only GET and HEAD") unless verb == "GET"
      raise missing unless path.index("#{@prefix}/") == 0
      name = path[(@prefix.length + 1)..-1]
      return ["application/json", list(@lists[name])] if @lists.key?(name)
      raise missing unless name =~ @files
      ["application/octet-stream", open_inside(name)]
    end

    private

    def missing
      LocalServer::Refusal.new(404, "not here")
    end

    # An empty list where there is no file.
    def list(file)
      value = StateFile.read(File.join(@directory, file))
      Json.generate(value.is_a?(Array) ? value.map { |name| name.to_s } : [])
    end

    # A symlink may not lead out of the directory.
    def open_inside(name)
      real = Pathname.new(File.join(@directory, name)).realpath.to_s
      inside = Pathname.new(@directory).realpath.to_s
      raise missing unless real.index("#{inside}/") == 0 && File.file?(real)
      File.open(real, "rb")
    rescue SystemCallError
      raise missing
    end
  end
end
