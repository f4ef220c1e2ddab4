#!/bin/bash
# The demo's recipe on other sample seeds: a line a seed with what CoPe gains over SFT and SFT over the TAM in ROUGE-L, by
# users, and in how many CoPe - SFT is positive with p < .05.
# Usage: bench/demo-seeds.sh COPE FOLDER [SEED...]
# A seed that is complete in FOLDER is not run again.
set -euo pipefail
cope=$(realpath "$1")
folder=$2
shift 2
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(201 202 203 204 205 206 207 208 209 210)

test_of() { # test_of FOLDER METHOD BASELINE: difference and p
    awk -F, -v method="$2" -v baseline="$3" \
        '$1 == method && $2 == baseline && $3 == "rouge-l" { printf "%+.4f %.4f\n", $4, $7 }' "$1/significance.csv"
}

mkdir -p "$folder"
echo '| sample seed | CoPe - SFT | p | SFT - TAM | p | SFT+CD - SFT | p | DPO - SFT | p |'
echo '|---|---|---|---|---|---|---|---|---|'
positive=0
for seed in "${seeds[@]}"; do
    [ -d "$folder/data-$seed" ] ||
        "$cope" data sample "$folder/data-$seed" --seed "$seed" --users 24 --queries 20 --documents 0 \
            --instructions 0 > "$folder/$seed-data.out"
    run=$folder/$seed
    "$cope" run demo --run "$run" --quiet --set data="$folder/data-$seed" > "$run.out" 2>&1
    read -r gain p <<< "$(test_of "$run" cope sft)"
    printf '| %s | %s | %s |' "$seed" "$gain" "$p"
    for pair in "sft tam" "sft+cd sft" "dpo sft"; do
        read -r difference value <<< "$(test_of "$run" ${pair% *} ${pair#* })"
        printf ' %s | %s |' "$difference" "$value"
    done
    echo
    positive=$((positive + $(awk -v gain="$gain" -v p="$p" 'BEGIN { print (gain > 0 && p < .05) }')))
done
echo
echo "CoPe - SFT is positive with p < .05 in $positive of ${#seeds[@]} sample seeds."
