#!/bin/bash
# What a user more costs in a run of many: wall and processor seconds of a run of N users, of the same run with one
# user more, and of the same run once more with nothing to do.
# Usage: bench/adding-a-user.sh COPE FOLDER [USERS] [RECIPE]
set -euo pipefail
cope=$(realpath "$1")
folder=$2
users=${3:-100}
recipe=${4:-demo}
mkdir -p "$folder"
cd "$folder"
[ -d data ] || "$cope" data sample data --users $((users + 1)) --documents 0 --instructions 0 > /dev/null
TIMEFORMAT='%R %U %S'

measure() {
    local count=$1
    { time "$cope" run "$recipe" --set data=data --run run --users "$count" --quiet > run.out 2> run.err; } 2>&1 |
        awk '{ printf "%.1f s, %.1f s of processor\n", $1, $2 + $3 }'
}

rm -rf run
printf '%s users: ' "$users"
measure "$users"
printf 'one more: '
measure $((users + 1))
printf 'nothing to do: '
measure $((users + 1))
