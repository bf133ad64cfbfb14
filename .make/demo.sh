#!/usr/bin/env bash
# The whole flow without WhatsApp: the stand-in (page, phone) and the host
# against it. Ctrl-C ends both, by their pids.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-target}/debug
standin_port=${DEMO_STANDIN_PORT:-8090}
host_port=${DEMO_HOST_PORT:-8080}

"$bin/standin" --listen "127.0.0.1:$standin_port" &
standin=$!
trap 'kill $standin ${host:-} 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM

echo
echo "  The phone:    http://127.0.0.1:$standin_port/__standin/phone"
echo "  The console:  http://127.0.0.1:$host_port/admin/whatsapp-pairing"
echo "  Set the first admin's password with the link that the host prints now."
echo
PAIRING_MODE=development PAIRING_LISTEN=127.0.0.1:$host_port PAIRING_DATA_DIR=target/demo \
    PAIRING_WHATSAPP_WEB_URL=http://127.0.0.1:$standin_port/ "$bin/pairing-host" serve &
host=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$host_port") 2>/dev/null; do
    kill -0 $host 2>/dev/null || exit 1
    sleep 0.1
done
echo
echo "  For the command line (pairing-host session, pairing-host plugin) in another terminal:"
echo
echo "export PAIRING_URL=http://127.0.0.1:$host_port"
echo "export PAIRING_TOKEN=$(PAIRING_DATA_DIR=target/demo "$bin/pairing-host" token --lifetime 24h)"
echo
wait $host
