# razor-mk: completion for fish. `task completion install` puts it in place; it asks the program at each press of Tab.

# The nearest directory upwards with a Taskfile.ts.
function __razor_mk_workspace
    set -l directory $PWD
    while not test -e $directory/Taskfile.ts
        test $directory = /; and return 1
        set directory (path dirname $directory)
    end
    echo $directory
end

function __razor_mk_answer
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' $HOME/ -- $before[1])
    set -e before[1]
    switch $program
        case npx
            set -l workspace (__razor_mk_workspace); or return
            set program $workspace/node_modules/.bin/razor-mk
            test -x $program; or set program $workspace/bin/task.js
            set -e before[1]
        case task
            # Other programs have this name too.
            __razor_mk_workspace >/dev/null; or return
    end
    type -q $program; or return
    set -l answer ($program completion answer fish -- $before "$current" 2>/dev/null)
    switch "$answer[1]"
        case words
            test (count $answer) -gt 1; and printf '%s\n' $answer[2..]
        case files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $current)
        case directories
            __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $current)
    end
end

for name in task razor-mk task.js
    complete -c $name -f -k -a '(__razor_mk_answer)'
end
complete -c npx -n '__fish_seen_subcommand_from task razor-mk' -f -k -a '(__razor_mk_answer)'
