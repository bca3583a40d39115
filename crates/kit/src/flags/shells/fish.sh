# Completion of @PROGRAM@ for fish: put this into ~/.config/fish/completions/@PROGRAM@.fish, or source it.
function @FUNCTION@
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l answer ($before[1] __complete words "$word" $before[2..-1] 2>/dev/null)
    switch "$answer[1]"
        case words
            printf '%s\n' $answer[2..-1]
        case files
            set -l after "$answer[2]"
            for name in (__fish_complete_path (string replace -- "$after" '' "$word"))
                printf '%s%s\n' "$after" "$name"
            end
        case folders
            set -l after "$answer[2]"
            for name in (__fish_complete_directories (string replace -- "$after" '' "$word") '')
                printf '%s%s\n' "$after" "$name"
            end
    end
end
complete -c @PROGRAM@ -f -a '(@FUNCTION@)'
