# razor-mk: completion for zsh. `task completion install` puts it in place; it asks the program at each press of Tab.

# The nearest directory upwards with a Taskfile.ts.
_razor_mk_workspace() {
  local directory=$PWD
  while [[ ! -e $directory/Taskfile.ts ]]; do
    [[ -n $directory ]] || return 1
    directory=${directory%/*}
  done
  print -rn -- "$directory"
}

_razor_mk() {
  local program=${(Q)words[1]} workspace line description
  local -a before=("${(@Q)words[2,CURRENT-1]}") answer offered
  case $program in
    npx)
      [[ $words[2] == (task|razor-mk) ]] && (( CURRENT > 2 )) || { _default; return }
      workspace=$(_razor_mk_workspace) || return 1
      program=$workspace/node_modules/.bin/razor-mk
      [[ -x $program ]] || program=$workspace/bin/task.js
      before=("${(@)before[2,-1]}")
      ;;
    # Other programs have this name too.
    task) _razor_mk_workspace >/dev/null || return 1 ;;
    \~/*) program=$HOME/${program#*/} ;;
  esac
  answer=("${(@f)$("$program" completion answer zsh -- "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
  [[ $PREFIX == --*=* ]] && compset -P '--*='
  case $answer[1] in
    words)
      for line in "${(@)answer[2,-1]}"; do
        description=${line#*$'\t'}
        [[ -n $line ]] && offered+=("${${line%%$'\t'*}//:/\\:}${description:+:$description}")
      done
      _describe -V 'razor-mk' offered
      ;;
    files) _files ;;
    directories) _files -/ ;;
    *) return 1 ;;
  esac
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
compdef _razor_mk razor-mk task.js
(( $+_comps[task] )) || compdef _razor_mk task
(( $+_comps[npx] )) || compdef _razor_mk npx
