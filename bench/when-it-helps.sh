#!/bin/bash
# When each part of the method helps, on the sample world: what contrast, gate and preference training add to SFT in
# ROUGE-L on development items, for SFT of 1 to 8 epochs and ranks 2 to 32, and for histories of 3 to 20 items; with the
# distance of expert and amateur in nats a token, of 12 users. Means over sample seeds; in brackets the seeds where p < .05.
# Usage: bench/when-it-helps.sh COPE FOLDER [SEED...]
# A setting that is complete in FOLDER is not run again; a seed's TAM is trained once.
set -euo pipefail
cope=$(realpath "$1")
folder=$2
shift 2
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(101 102 103)

sweep() { # sweep SEED NAME OPTIONS...: SFT, contrast without and with the gate, DPO; CSV in FOLDER/SEED-NAME.csv
    local seed=$1 csv=$folder/$1-$2.csv
    [ -f "$csv" ] && return
    [ -d "$folder/data-$seed" ] ||
        "$cope" data sample "$folder/data-$seed" --seed "$seed" --users 24 --queries 20 --documents 0 \
            --instructions 0 > "$folder/data-$seed.out"
    "$cope" sweep demo --run "$folder/$seed" --quiet --distance --set data="$folder/data-$seed" \
        --users 12 --set development_items=8 --set predict=tam,sft,sft+cd,dpo --method sft+cd \
        --over decode.contrast_unless_certain=null,0.7 "${@:3}" > "$folder/$1-$2.out" 2>&1
    cp "$folder/$seed/sweep-gains.csv" "$csv"
}

show() { # show NAME LABEL: a line of the table
    local seed
    for seed in "${seeds[@]}"; do cat "$folder/$seed-$1.csv"; done |
        awk -F, -v label="$2" '
            $6 != "rouge-l" { next }
            $2 == "null" && $4 == "sft+cd" { add("contrast"); distance += $3; n++ }
            $2 != "null" && $4 == "sft+cd" { add("gate") }
            $2 == "null" && $4 == "dpo" { add("dpo") }
            function add(part) { sum[part] += $7; certain[part] += $10 < .05 }
            function cell(part) { return sprintf("%+.3f (%d)", sum[part] / n, certain[part]) }
            END {
                printf "| %s | %.3f | %s | %s | %s |\n", label, distance / n, cell("contrast"), cell("gate"), cell("dpo")
            }'
}

mkdir -p "$folder"
echo '| SFT | nats from the TAM | contrast | contrast with the gate | DPO |'
echo '|---|---|---|---|---|'
for epochs in 1 2 4 8; do
    for rank in 2 8 32; do
        for seed in "${seeds[@]}"; do
            sweep "$seed" "epochs-$epochs-rank-$rank" --set sft.epochs="$epochs" --set sft.lora.rank="$rank" \
                --set sft.lora.alpha="$rank"
        done
        show "epochs-$epochs-rank-$rank" "$epochs epochs, rank $rank"
    done
done
for items in 3 6 12 20; do
    for seed in "${seeds[@]}"; do sweep "$seed" "history-$items" --set history_limit="$items"; done
    show "history-$items" "histories of $items items"
done
