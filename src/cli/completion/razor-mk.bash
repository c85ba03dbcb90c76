# razor-mk: completion for bash. `task completion install` puts it in place; it asks the program at each press of Tab.

# The nearest directory upwards with a Taskfile.ts.
_razor_mk_workspace() {
  local directory=$PWD
  while [[ ! -e $directory/Taskfile.ts ]]; do
    [[ -n $directory ]] || return 1
    directory=${directory%/*}
  done
  printf '%s' "$directory"
}

_razor_mk() {
  local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} answer workspace
  COMPREPLY=()
  case $program in
    npx)
      case ${COMP_WORDS[1]-} in task | razor-mk) ;; *) return ;; esac
      ((COMP_CWORD > 1)) || return
      workspace=$(_razor_mk_workspace) || return
      program=$workspace/node_modules/.bin/razor-mk
      [[ -x $program ]] || program=$workspace/bin/task.js
      words=("${words[@]:1}")
      ;;
    # Other programs have this name too.
    task) _razor_mk_workspace >/dev/null || return ;;
    '~'/*) program=$HOME/${program#*/} ;;
  esac
  answer=$("$program" completion answer bash -- "${words[@]}" 2>/dev/null) || return
  [[ $current == [=:] ]] && current=
  local kind=${answer%%$'\n'*} line
  case $kind in
    words)
      while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("${line%%$'\t'*}")
      done <<<"${answer#"$kind"}"
      ;;
    files | directories)
      compopt -o filenames 2>/dev/null
      local how=-f
      [[ $kind == directories ]] && how=-d
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$how" -- "$current")
      ;;
  esac
}

complete -F _razor_mk razor-mk task.js
complete -p task &>/dev/null || complete -F _razor_mk task
complete -p npx &>/dev/null || complete -F _razor_mk -o default npx
