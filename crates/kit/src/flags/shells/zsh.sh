#compdef @PROGRAM@
# Completion of @PROGRAM@ for zsh: put this into a folder of $fpath as _@PROGRAM@, or source it after compinit.
@FUNCTION@() {
  local -a before answer offered
  local one tab=$'\t'
  before=()
  for one in "${(@)words[2,CURRENT-1]}"; do before+=("${(Q)one}"); done
  answer=("${(@f)$(${(Q)~words[1]} __complete words "${(Q)words[CURRENT]}" "${before[@]}" 2>/dev/null)}")
  case ${answer[1]} in
    words)
      for one in "${(@)answer[2,-1]}"; do
        [[ -n $one ]] && offered+=("${${one%%$tab*}//:/\\:}:${one#*$tab}")
      done
      _describe @PROGRAM@ offered
      ;;
    files)
      [[ -n ${answer[2]} ]] && compset -P '*='
      _files
      ;;
    folders)
      [[ -n ${answer[2]} ]] && compset -P '*='
      _files -/
      ;;
  esac
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
  @FUNCTION@ "$@"
else
  compdef @FUNCTION@ @PROGRAM@
fi
