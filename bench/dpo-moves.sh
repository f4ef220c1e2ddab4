#!/bin/bash
# What moves preference training: beta, learning rate, temperature and number of the candidates, and which of them is
# rejected, each on its own, on development items of the histories. A line a value, with what DPO adds to SFT in ROUGE-L,
# by users; one TAM and one SFT for all.
# Usage: bench/dpo-moves.sh COPE FOLDER TASK RATES [cope run's options, for example --set data=FOLDER --users 16]
# RATES are the learning rates of DPO, comma-separated. A key that is complete in FOLDER is not swept again.
set -euo pipefail
cope=$(realpath "$1")
folder=$2
task=$3
rates=$4
options=("${@:5}")

sweep() { # sweep KEY VALUES
    [ -f "$folder/$1.csv" ] && return
    "$cope" sweep "$task" --run "$folder/run" --quiet --set development_items=2 --set predict=tam,sft,dpo \
        --method dpo --over "$1=$2" "${options[@]}" > "$folder/$1.out" 2>&1
    cp "$folder/run/sweep-gains.csv" "$folder/$1.csv"
}

show() { # show KEY: a line a value
    awk -F, '$4 == "dpo" && $5 == "sft" && $6 == "rouge-l" {
        printf "| `%s` %s | %+.4f (%+.4f to %+.4f) | %.3f | %d | %d |\n", $1, $2, $7, $8, $9, $10, $12, $13
    }' "$folder/$1.csv"
}

mkdir -p "$folder"
echo '| setting | ROUGE-L, DPO against SFT (95 %) | p | users helped | hurt |'
echo '|---|---|---|---|---|'
for setting in dpo.learning_rate="$rates" dpo.beta=0.05,0.1,0.5 negatives.select=max,min,random \
    negatives.temperature=0.5,1,1.5 negatives.candidates=3,8; do
    sweep "${setting%%=*}" "${setting#*=}"
    show "${setting%%=*}"
done
