#!/bin/bash
# Tries deploy/serving/cope.conf on this machine: two servers on one finished run behind nginx. Shows that requests of
# one user go to one server, that answers are the same wherever they come from, and that requests, streams too, go to
# the other server when one stops or is killed. Ends with 0 where all of it holds, 77 where nginx is missing.
# Usage: deploy/serving/test.sh COPE RUN USER... (two users at least, whom the run has)
set -euo pipefail
cope=$(realpath "$1")
run=$(realpath "$2")
users=("${@:3}")
[ ${#users[@]} -ge 2 ] || { echo 'name two users of the run at least'; exit 2; }
here=$(dirname "$(realpath "$0")")
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo 'nginx is not installed (Debian: nginx-light)'; exit 77; }
work=$(mktemp -d)
declare -A pids addresses

finish() {
    [ -e "$work/nginx.pid" ] && kill "$(cat "$work/nginx.pid")"
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2> /dev/null || true; done
    wait 2> /dev/null
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    cat "$work"/*.err "$work/access.log" 2> /dev/null | tail -40
    exit 1
}

start() { # start NAME PORT: a server; port 0 takes a free one
    : > "$work/$1.err"
    "$cope" serve --run "$run" --port "$2" --keys "$work/keys.json" 2> "$work/$1.err" > /dev/null &
    pids[$1]=$!
    for ((i = 0; i < 600; i++)); do
        addresses[$1]=$(sed -n 's|.*listening on http://\([^ /]*\).*|\1|p' "$work/$1.err")
        [ -n "${addresses[$1]}" ] && return
        kill -0 "${pids[$1]}" 2> /dev/null || fail "server $1 ended"
        sleep 0.1
    done
    fail "server $1 does not listen"
}

ask() { # ask USER [FIELDS]: the body of a whole answer, through nginx
    curl -sS --max-time 60 --unix-socket "$work/nginx.sock" -H "X-CoPe-User: $1" -d "$(body "$@")" \
        http://localhost/v1/chat/completions
}

body() { # body USER [FIELDS]
    printf '{"model": "%s", "max_tokens": 24, "messages": [{"role": "user", "content": "Write a headline"}]%s}' \
        "$1" "${2:-}"
}

text() { grep -o '"content":"[^"]*"' || true; }
answered_by() { tail -1 "$work/access.log" | awk '{ print $5 }'; } # who was asked last
last_status() { tail -1 "$work/access.log" | awk '{ print $4 }'; }

start one 0
start two 0
{
    echo "pid $work/nginx.pid; error_log $work/nginx.err; events {}"
    echo "http {"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $work/$kind;"; done
    sed -e "s|replica-1:8000|${addresses[one]}|; s|replica-2:8000|${addresses[two]}|" \
        -e "s|listen 8080|listen unix:$work/nginx.sock|; s|/var/log/nginx/access.log|$work/access.log|" "$here/cope.conf"
    echo "}"
} > "$work/nginx.conf"
"$nginx" -c "$work/nginx.conf" -e "$work/nginx.err" || fail 'nginx does not start'

echo "servers ${addresses[one]} and ${addresses[two]}"
declare -A home
for user in "${users[@]}"; do
    for repeat in 1 2 3; do
        ask "$user" > "$work/$user.$repeat" || fail "$user is not answered"
        grep -q '"content":"' "$work/$user.$repeat" || fail "$user has no answer: $(cat "$work/$user.$repeat")"
        server=$(answered_by)
        [ "${home[$user]:=$server}" = "$server" ] || fail "$user went to ${home[$user]} and to $server"
        diff <(text < "$work/$user.1") <(text < "$work/$user.$repeat") || fail "$user had two answers"
    done
    for name in one two; do
        curl -sS -d "$(body "$user")" "http://${addresses[$name]}/v1/chat/completions" | text > "$work/$user.$name"
        diff <(text < "$work/$user.1") "$work/$user.$name" || fail "server $name answers $user otherwise"
    done
    echo "$user: three times by ${home[$user]}, the same answer by both"
done

# A user of each server: the first one's stops, then is killed.
user=${users[0]}
name=one
[ "${home[$user]}" = "${addresses[one]}" ] || name=two
stream() { curl -sSN --max-time 60 --unix-socket "$work/nginx.sock" -H "X-CoPe-User: $user" \
    -d "$(body "$user" ', "stream": true')" http://localhost/v1/chat/completions; }
stream > "$work/stream.before"
grep -q '^data: \[DONE\]' "$work/stream.before" || fail 'a stream does not end'
[ "$(grep -c '^data: ' "$work/stream.before")" -gt 3 ] || fail 'a stream has no events'

kill -KILL "${pids[$name]}"
wait "${pids[$name]}" 2> /dev/null || true
unset "pids[$name]"
stream > "$work/stream.after"
moved=$(tail -1 "$work/access.log")
[ "$(last_status)" = 200 ] || fail "a stream after the kill: $moved"
diff <(text < "$work/stream.before") <(text < "$work/stream.after") || fail 'the stream is another one'
for user in "${users[@]}"; do
    diff <(text < "$work/$user.1") <(ask "$user" | text) || fail "$user is answered otherwise after the kill"
done
echo "server $name killed: everybody is answered by the other, streams too, and as before"

# It comes back, and its users with it, once nginx tries it again.
start "$name" "${addresses[$name]##*:}"
for ((i = 0; i < 40; i++)); do
    ask "${users[0]}" > /dev/null
    [ "$(answered_by)" = "${home[${users[0]}]}" ] && break
    sleep 0.5
done
[ "$(answered_by)" = "${home[${users[0]}]}" ] || fail "${users[0]} does not come back to ${home[${users[0]}]}"
echo "server $name back: ${users[0]} is answered by it again"

# One that stops refuses with 503 what is new: the other takes it, and the client notices nothing.
user=${users[0]}
stream > "$work/stream.draining" &
streaming=$!
sleep 0.2
kill -TERM "${pids[$name]}"
for ((i = 0; i < 20; i++)); do
    ask "$user" > "$work/answer" || fail "not answered while $name stops"
    [ "$(last_status)" = 200 ] || fail "while $name stops: $(tail -1 "$work/access.log")"
    diff <(text < "$work/$user.1") <(text < "$work/answer") || fail "answered otherwise while $name stops"
done
wait "$streaming"
grep -q '^data: \[DONE\]' "$work/stream.draining" || fail 'the stream under way was cut off'
echo "server $name stopped: what it had begun it ended, what is new the other answered"
