#!/bin/bash
# completion_test.sh CNMCTL: that bash completes every command and option that this cnmctl has. Prints TAP.
set -u
ROOT=$(readlink -f "$(dirname "$(readlink -f "$0")")/../../..")
readonly ROOT PROGRAM=$1
# shellcheck disable=SC2317
cnmctl() { "$PROGRAM" "$@"; } # what the completion runs
# shellcheck source=/dev/null
source "$ROOT/packaging/completion/cnmctl"

count=0 failed=0

# complete_words WORD...: what is offered for the last WORD, on one line
complete_words() {
  COMP_WORDS=(cnmctl "$@")
  COMP_CWORD=$#
  _cnmctl
  printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}

# expect NAME WANT GOT
expect() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    failed=1
    printf 'not ok %s - %s\n#   want: %s\n#   got:  %s\n' "$count" "$1" "$2" "$3"
  fi
}

# Not by the completion's own reading of the help.
mapfile -t commands < <("$PROGRAM" --help | awk '$1 == "cnmctl" && /^  / {print (match($0, /^  cnmctl [a-z]+ [a-z]+ /) ? $2 " " $3 : $2)}')
expect "there are commands" yes "$([ ${#commands[@]} -gt 20 ] && echo yes)"
expect "the first words" "$(printf '%s\n' "${commands[@]}" | cut -d ' ' -f 1 | sort -u | paste -sd ' ')" "$(complete_words '')"
for command in "${commands[@]}"; do
  read -r noun verb <<< "$command"
  [ -z "$verb" ] || expect "$command" "$verb" "$(complete_words "$noun" "$verb")"
  options=$("$PROGRAM" "$noun" ${verb:+"$verb"} --help | awk '/^  (-h \[ )?--/ {print $1 == "-h" ? $3 : $1}' | sort | paste -sd ' ')
  expect "the options of $command" "$options" "$(complete_words "$noun" ${verb:+"$verb"} --)"
done
expect "the beginning of a word" "network" "$(complete_words net)"
cd "$ROOT/conf" || exit 1
expect "a file" "cnmd.toml" "$(complete_words service ls --tlskey cnmd)"
echo "1..$count"
exit $failed
