#!/bin/bash
# Makes a run of cope in blocks of users on a Slurm cluster. Run it where sbatch is:
#     bash shards.sh
# It submits three jobs, each waiting for the one before it: what all users share, an array of shards, the end.
# Submitted again, also while it is at work or with another number of shards, it makes what is missing; what is there
# is skipped in seconds. 'cope shards ls RUN' tells where the blocks stand.
# The run's folder, the data, the model and the program must lie where every node sees them.
set -euo pipefail

# --- what is made -----------------------------------------------------------------------------------------------------
folder=$PWD                             # the folder in which paths are looked up
cope=cope                               # the program
run=runs/many                           # the run's folder
prepare=(scholarly_title --set data=data) # the recipe and its settings
shards=8                                # tasks of the array; any number, also another one next time

# --- what a task is given ---------------------------------------------------------------------------------------------
shared=(--cpus-per-task=2 --mem=2G --time=04:00:00)
shard=(--cpus-per-task=2 --mem=2G --time=04:00:00)
end=(--cpus-per-task=2 --mem=2G --time=04:00:00)

# --- nothing to set below ---------------------------------------------------------------------------------------------
cd "$folder"
[[ $run = /* ]] || run=$folder/$run
logs=$run.logs
mkdir -p "$logs"
# --requeue: a task whose node is lost starts again elsewhere. --kill-on-invalid-dep: what waits for a job that failed
# is removed from the queue instead of waiting for ever.
common=(--parsable --requeue --kill-on-invalid-dep=yes --open-mode=append --chdir="$folder" --export=ALL)

prepared=$(sbatch "${common[@]}" "${shared[@]}" --job-name=cope-shared --output="$logs/shared-%j.log" \
    --wrap "srun $(printf '%q ' "$cope" shards prepare "${prepare[@]}" --run "$run" --quiet)")

# --signal=TERM@120, without 'B:', goes to the steps of the job two minutes before its time is over: cope saves, ends
# with 75, and the task is requeued by its own number, for that of the job alone would requeue the whole array.
array=$(sbatch "${common[@]}" "${shard[@]}" --job-name=cope-shard --output="$logs/shard-%A-%a.log" \
    --dependency="afterok:$prepared" --array="0-$((shards - 1))" --signal=TERM@120 << TASK
#!/bin/bash
srun $(printf '%q ' "$cope" run --run "$run" --quiet) --shard "\$SLURM_ARRAY_TASK_ID/$shards"
code=\$?
if [ \$code = 75 ]; then # saved, or another process is at work in a block: start again
    scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"
    sleep 600 # until the requeue ends this
fi
exit \$code
TASK
)

finish=$(sbatch "${common[@]}" "${end[@]}" --job-name=cope-finish --output="$logs/finish-%j.log" \
    --dependency="afterok:$array" --wrap "srun $(printf '%q ' "$cope" finish "$run" --quiet)")

echo "submitted: what all users share $prepared, $shards shards $array, the end $finish; logs in $logs"
