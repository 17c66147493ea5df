#!/bin/sh
# A contract test for CI that proves itself: the server keeps the contract, and one that is broken on purpose is caught.
# Needs: pip install 'restserver[check]', and curl. Reports go to ./contract-reports, or to the folder that is given.
set -eu

reports=${1:-contract-reports}
work=$(mktemp -d)
server=

finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# To check a server of your own, set its address here and give a file of real names, one a line:
#   restserver check https://jobs.example --names names.txt --header "Authorization: Bearer $TOKEN" --wait-for 60
restserver serve --port 0 --seed 7 --at 2026-03-01T12:00:00Z >"$work/address" 2>"$work/server.log" &
server=$!
tries=0
until url=$(sed -n 's/^listening on //p' "$work/address") && [ -n "$url" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$work/server.log" >&2
        exit 3
    fi
    sleep 0.1
done

echo "== the server keeps the contract"
restserver check "$url" --fail-under 90 --report junit,html --report-dir "$reports/kept"

echo "== the server, broken on purpose"
fault='{"kind": "missing_key", "side": "api", "operation": "framework", "path": "jobStatus.state"}'
curl -sSf -X POST "$url/__admin/faults" -d "$fault" -o "$work/fault.json"
code=0
restserver check "$url" -n 100 --report junit,html --report-dir "$reports/broken" || code=$?
curl -sSf -X DELETE "$url/__admin/faults" -o "$work/healed.json"
if [ "$code" -ne 1 ]; then
    echo "a broken server was not caught: exit code $code, not 1" >&2
    exit 1
fi
echo "== it was caught"
