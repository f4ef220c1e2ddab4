#!/bin/bash
# What the settings of recipes/demo.yaml are chosen by: development items of sample seeds that the demo does not have.
# Means over the seeds of ROUGE-L: of SFT at several rates, of DPO at several rates, of SFT+CD at several contrasts and
# gates, the last two at the recipe's SFT and at one that is trained further.
# Usage: bench/demo-settings.sh COPE FOLDER [SEED...]
# What is trained in FOLDER is not trained again.
set -euo pipefail
cope=$(realpath "$1")
folder=$2
shift 2
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(101 102 103)

sweep() { # sweep NAME METHOD PREDICT KEY=VALUES [OPTIONS...]: on every seed, whose runs share what is trained
    local seed
    for seed in "${seeds[@]}"; do
        [ -f "$folder/$seed-$1.csv" ] && continue
        [ -d "$folder/data-$seed" ] ||
            "$cope" data sample "$folder/data-$seed" --seed "$seed" --users 24 --queries 20 --documents 0 \
                --instructions 0 > "$folder/$seed-data.out"
        "$cope" sweep demo --run "$folder/$seed" --quiet --set data="$folder/data-$seed" --set development_items=8 \
            --method "$2" --set predict="$3" --over "$4" "${@:5}" > "$folder/$seed-$1.out" 2>&1
        cp "$folder/$seed/sweep.csv" "$folder/$seed-$1.csv"
    done
}

show() { # show TITLE NAME METHOD: value and mean over the seeds, best first
    local seed
    printf '\n%s: ROUGE-L of %s, mean over seeds %s\n' "$1" "$3" "${seeds[*]}"
    for seed in "${seeds[@]}"; do cat "$folder/$seed-$2.csv"; done |
        awk -F, -v method="$3" '$3 == method && $4 == "rouge-l" { sum[$2] += $5; n[$2]++ }
            END { for (value in sum) printf "%s %.4f\n", value, sum[value] / n[value] }' | sort -k2,2nr
}

mkdir -p "$folder"
sweep sft sft tam,sft sft.learning_rate=8e-3,1.6e-2,3.2e-2
show sft.learning_rate sft sft
for rate in 8e-3 3.2e-2; do
    for gate in null 0.6 0.7 0.8; do
        name=gate-$gate-$rate
        sweep "$name" sft+cd tam,sft,sft+cd decode.contrast=0.3,0.5,0.7,1 --set sft.learning_rate="$rate" \
            --set decode.contrast_unless_certain="$gate"
        show "decode.contrast, contrast_unless_certain $gate, sft.learning_rate $rate" "$name" sft+cd
    done
    sweep "dpo-$rate" dpo sft,dpo dpo.learning_rate=1e-3,2e-3,4e-3 --set sft.learning_rate="$rate"
    show "dpo.learning_rate, sft.learning_rate $rate" "dpo-$rate" dpo
done
