#!/bin/bash
# What a run costs in shards: processor seconds and peak memory of 'cope run' in one process, and of preparing, of each
# shard and of finishing the same run in blocks; then whether both made the same bytes. Generated users, the embedded
# model (histories of 3 items, 2 queries, 1 epoch, 8 new tokens); the shards run one after the other.
# Usage: bench/shards.sh COPE FOLDER USERS BLOCK_USERS SHARDS (for example 200 25 8)
set -euo pipefail
cope=$(realpath "$1")
mkdir -p "$2"
cd "$2"
users=$3
shards=$5
options=(demo --set data=data --users "$users" --set "block_users=$4")
for setting in history_limit=3 {tam,sft,dpo}.epochs=1 {negatives,decode}.max_new_tokens=8; do
    options+=(--set "$setting")
done

measure() { # measure NAME ARGUMENTS...
    /usr/bin/time -o cost -f '%U %S %M %e' "$cope" "${@:2}" --quiet >> out 2>&1
    awk -v name="$1" '{ printf "%s,%.1f,%.0f,%.1f\n", name, $1 + $2, $3 / 1024, $4 }' cost | tee -a costs.csv
}

hash_run() { # everything but times: markers, metrics, manifest, report
    (cd "$1" && find . -type f | grep -vE '^./(stages|metrics)/|manifest.json|report.html|\.lock' | sort | xargs sha256sum)
}

rm -rf whole parts costs.csv out
[ -e data ] || "$cope" data sample data --users "$users" --other-users 20 --queries 2 --documents 0 --instructions 0 \
    > /dev/null
echo 'what,processor seconds,peak MB,wall seconds'
measure whole run "${options[@]}" --run whole
measure prepare shards prepare "${options[@]}" --run parts
for ((shard = 0; shard < shards; shard++)); do
    measure "shard $shard" run --run parts --shard "$shard/$shards"
done
measure finish finish parts
awk -F, '$1 == "whole" { whole = $2; next } { parts += $2 } END { printf "parts over whole,%.2f,,\n", parts / whole }' \
    costs.csv
diff <(hash_run whole) <(hash_run parts) && echo 'the same bytes'
