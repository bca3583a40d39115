# Completion of @PROGRAM@ for bash: source this, or put it into ~/.local/share/bash-completion/completions/@PROGRAM@.
@FUNCTION@() {
  local line word kind names
  COMPREPLY=()
  # The line as it was typed: bash's own words are cut at "=" and ":", and only what follows those is replaced.
  line=${COMP_LINE:0:COMP_POINT}
  word=${COMP_WORDS[COMP_CWORD]}
  [[ $word == "=" || $word == ":" ]] && word=
  mapfile -t names < <("$1" __complete line "$line" 2>/dev/null)
  kind=${names[0]}
  names=("${names[@]:1}")
  case $kind in
    words)
      names=("${names[@]%%$'\t'*}")
      local typed=${line##*[[:space:]]} cut
      cut=${typed%"$word"}
      COMPREPLY=("${names[@]#"$cut"}")
      ;;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      ;;
  esac
}
complete -F @FUNCTION@ @PROGRAM@
