#!/bin/bash
# What the stages of a run cost by its number of users: processor seconds and peak memory of each, one process a stage,
# on generated users with the embedded model (histories of 3 items, 2 queries, 1 epoch, 8 new tokens).
# Usage: bench/many-users.sh COPE FOLDER USERS... (for example 200 1000 3000)
# The data are made once, for the most users; a number of users that was measured before is not measured again.
# In the environment: ITEMS, QUERIES and TOKENS for other users than these, SETTINGS for more settings of the recipe
# (SETTINGS='predict=[base,tam] evaluate.likelihood=false'), STAGES for some of the stages, divided by commas
# (STAGES='train tam,predict,evaluate,report').
set -euo pipefail
cope=$(realpath "$1")
folder=$2
counts=("${@:3}")
most=$(printf '%s\n' "${counts[@]}" | sort -n | tail -1)
tokens=${TOKENS:-8}
settings=("history_limit=${ITEMS:-3}" {tam,sft,dpo}.epochs=1 {negatives,decode}."max_new_tokens=$tokens")
read -r -a more <<< "${SETTINGS:-}"
settings+=("${more[@]}")
all='train tam,train sft,negatives sample,negatives select,train dpo,predict,evaluate,report'
IFS=, read -r -a stages <<< "${STAGES:-$all}"

measure() { # measure USERS STAGE OPTIONS...
    local words
    read -r -a words <<< "$2"
    /usr/bin/time -o "run-$1.cost" -f '%U %S %M' \
        "$cope" "${words[@]}" "${@:3}" --run "run-$1" --quiet >> "run-$1.out" 2>&1
    awk -v users="$1" -v stage="$2" \
        '{ printf "%s,%s,%.2f,%.0f,%.2f\n", users, stage, $1 + $2, $3 / 1024, ($1 + $2) * 1000 / users }' "run-$1.cost"
}

measure_run() { # measure_run USERS
    local options=(demo --set data=data --users "$1") setting stage
    for setting in "${settings[@]}"; do options+=(--set "$setting"); done
    rm -rf "run-$1" "run-$1.out"
    for stage in "${stages[@]}"; do
        measure "$1" "$stage" "${options[@]}"
        options=()
    done > "cost-$1.part"
    mv "cost-$1.part" "cost-$1.csv"
}

mkdir -p "$folder"
cd "$folder"
[ -e "data-$most" ] || "$cope" data sample "data-$most" --users "$most" --other-users 20 --queries "${QUERIES:-2}" \
    --documents 0 --instructions 0 > /dev/null
ln -sfn "data-$most" data
echo 'users,stage,processor seconds,peak MB,ms a user'
for users in "${counts[@]}"; do
    [ -e "cost-$users.csv" ] || measure_run "$users"
    cat "cost-$users.csv"
    echo "$users,folder,,$(du -sm "run-$users" | cut -f1),$(find "run-$users" -type f | wc -l) files"
done
