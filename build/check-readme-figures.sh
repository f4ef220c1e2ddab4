#!/bin/bash
# Compares what README.md says of the demo with a finished demo run: the table's means and standard errors, and the
# differences, p and numbers of users of the sentences below it.
# Usage: build/check-readme-figures.sh README.md RUN
set -euo pipefail
readme=$1
run=$2
threads=$(sed -n 's/.*"threads": \([0-9]*\).*/\1/p' "$run/plan.json")
[ "$threads" = 2 ] || { echo "README.md has the figures of 2 threads, $run those of $threads: not compared"; exit 0; }
failed=0

require() { # require TEXT WHERE: README has it, with lines joined
    grep -qF -- "$1" <<< "$text" || { echo "README.md lacks '$1', which $2 has" >&2; failed=1; }
}

strip_zeros() { sed -E 's/(^|[^0-9])0\./\1./g'; } # as README writes figures, without the zero before the point

figure() { # figure METHOD METRIC: ' .123 +- .004 ' of results.csv; of likelihoods, '.123'
    awk -F, -v method="$1" -v metric="$2" '$1 == method && $2 == metric {
        line = metric == "gold-nll" ? sprintf("%.3f", $3) : sprintf("%.3f +- %.3f", $3, $4)
        print line
    }' "$run/results.csv" | strip_zeros
}

row() { # row NAME METHOD: the line of the table
    local likelihood
    likelihood=$(figure "$2" gold-nll)
    require "| $1 | $(figure "$2" rouge-1) | $(figure "$2" rouge-l) | $(figure "$2" meteor) | ${likelihood:+$likelihood }|" \
        results.csv
}

gain() { # gain METHOD BASELINE: '+.123, p < .001' of significance.csv
    awk -F, -v method="$1" -v baseline="$2" '$1 == method && $2 == baseline && $3 == "rouge-l" {
        p = $7 < .001 ? "p < .001" : sprintf($7 < .01 ? "p %.3f" : "p %.2f", $7)
        print sprintf("%+.3f, %s", $4, p)
    }' "$run/significance.csv" | strip_zeros
}

helped() { # helped METHOD BASELINE: users helped and all of them
    awk -F, -v method="$1" -v baseline="$2" '$1 == method && $2 == baseline && $3 == "rouge-l" {
        print $10, $10 + $11 + $12 }' "$run/significance.csv"
}

text=$(tr '\n' ' ' < "$readme")
row base base
row TAM tam
row 'SFT (OPPU)' sft
row SFT+CD sft+cd
row DPO dpo
row '**CoPe** (DPO+CD)' cope
read -r tam users <<< "$(helped cope tam)"
read -r sft _ <<< "$(helped cope sft)"
[ "$tam" = "$users" ] && all="all $users users" || all="$tam of $users"
require "CoPe is better than TAM ($(gain cope tam), $all) and than SFT ($(gain cope sft), $sft of $users)" significance.csv
require "SFT than TAM ($(gain sft tam))" significance.csv
require "DPO than SFT ($(gain dpo sft))" significance.csv
require "CoPe and SFT+CD do not differ significantly ($(gain cope sft+cd))" significance.csv
[ "$failed" = 0 ] && echo "README.md says what $run has."
exit "$failed"
