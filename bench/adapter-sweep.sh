#!/bin/bash
# Which user adapter helps: where it acts x what it adapts x its rank, on development items of the histories. One TAM is
# trained and shared by all; a line a setting, with the difference in nats a token against the TAM, paired over users.
# Usage: bench/adapter-sweep.sh COPE FOLDER TASK SEED [cope run's options, for example --set data=FOLDER --users 16]
# A setting that is complete is not run again. SETTINGS="ACTIVE:TARGETS:RANK ..." names other settings.
set -euo pipefail
cope=$(realpath "$1")
folder=$2
task=$3
seed=$4
options=("${@:5}")
declare -A targets=([qv]=q_proj,v_proj [qkvo]=q_proj,k_proj,v_proj,o_proj [all]=all-linear)

list_settings() {
    local active names rank
    for names in qv qkvo all; do
        for rank in 8 16 32; do
            for active in everywhere answer; do echo "$active:$names:$rank"; done
        done
    done
}

run() { # run FOLDER OPTIONS...
    "$cope" run "$task" --run "$@" "${options[@]}" --set seed="$seed" --set development_items=2 \
        --set evaluate.likelihood=true --quiet > "$1.out" 2>&1
}

figure() { # figure FILE METHOD METRIC COLUMN
    awk -F, -v method="$2" -v metric="$3" -v column="$4" \
        '$1 == method && $2 == metric || $1 == method && $2 == "tam" && $3 == metric { print $column }' "$1"
}

show() { # show SETTING: a line of the table
    local run=$folder/$1 name bytes speed
    IFS=: read -r -a name <<< "$1"
    bytes=$(cat "$run"/sft/*/adapter_model.safetensors | wc -c)
    speed=$(awk -F'"tokens":' '/"tokens":/ { split($2, n, /[,}]/); sum += n[1] } END { print sum }' \
        "$run/metrics/train-sft.jsonl")
    speed=$(awk -F': ' -v tokens="$speed" '/^  "seconds"/ { printf "%.0f", tokens / $2 }' "$run/stages/train-sft.json")
    printf '| %s | %s | %s | %.4f (%.4f to %.4f, %s of %s) | %.3f | %.4f | %.3f | %s | %.0f |\n' \
        "${name[@]}" \
        "$(figure "$run/significance.csv" sft gold-nll 4)" "$(figure "$run/significance.csv" sft gold-nll 5)" \
        "$(figure "$run/significance.csv" sft gold-nll 6)" "$(figure "$run/significance.csv" sft gold-nll 10)" \
        "$(find "$run/sft" -name adapter_model.safetensors | wc -l)" \
        "$(figure "$run/results.csv" sft reward-rank 3)" "$(figure "$run/results.csv" sft rouge-l 3)" \
        "$(figure "$run/results.csv" sft style-distance 3)" "$speed" \
        "$(awk -v bytes="$bytes" -v users="$(find "$run/sft" -name adapter_model.safetensors | wc -l)" \
            'BEGIN { print bytes / users / 1024 }')"
}

mkdir -p "$folder"
run "$folder/tam" --set 'predict=[tam]'
printf '%s, seed %s: TAM %.4f nats a token, ROUGE-L %.4f\n\n' "$task" "$seed" \
    "$(figure "$folder/tam/results.csv" tam gold-nll 3)" "$(figure "$folder/tam/results.csv" tam rouge-l 3)"
echo '| acts on | adapts | rank | nats against TAM (95 %, users helped) | reward rank | ROUGE-L | style distance' \
    '| tokens/s | KB |'
echo '|---|---|---|---|---|---|---|---|---|'
for setting in ${SETTINGS:-$(list_settings)}; do
    IFS=: read -r active names rank <<< "$setting"
    run "$folder/$setting" --set tam.adapter="$(realpath "$folder/tam/tam/adapter")" --set 'predict=[tam,sft]' \
        --set sft.lora.active="$active" --set "sft.lora.target_modules=[${targets[$names]}]" \
        --set sft.lora.rank="$rank" --set sft.lora.alpha="$rank"
    show "$setting"
done
