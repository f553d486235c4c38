#!/usr/bin/env bats
# tls.bats: the REST API for other hosts: who is let in by certificate, and who is told what.
load ../support/e2e
load ../support/docker/docker

readonly CERTS=/run/e2e/certs ADDRESS=198.51.100.1 PORT=2386
readonly URL=https://$ADDRESS:$PORT/networks

setup_file() {
  ours || skip "cnmd is cnm's"
  ip address add $ADDRESS/32 dev lo
  "$SUPPORT/certificates.sh" $CERTS
}

teardown() {
  stop_servers
  [ ! -e $CNMD_PID ] || { kill -s KILL "$(cat $CNMD_PID)" 2> /dev/null || true; }
  rm -rf $CNMD_PID /run/cnm/cnmd.sock
}

# tls_up ARGS...: cnmd for whoever has a certificate
tls_up() {
  : > $CNMD_LOG
  cnmd_up --listen 0.0.0.0:$PORT --tlsverify --tlscacert $CERTS/server/ca.pem --tlscert $CERTS/server/cert.pem \
    --tlskey $CERTS/server/key.pem "$@"
}

# get WHO ARGS...: curl with WHO's certificate; prints the status
get() {
  local who=$1
  shift
  curl --silent --show-error --max-time 20 --output /dev/null --write-out '%{http_code}' \
    --cacert $CERTS/"$who"/ca.pem --cert $CERTS/"$who"/cert.pem --key $CERTS/"$who"/key.pem "$@"
}

# blindly BYTES: posts so many with a client's certificate, all of them before it reads the answer; prints its first line
blindly() {
  python3 -c 'import socket, ssl, sys
directory, address, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
context = ssl.create_default_context(cafile=directory + "/ca.pem")
context.load_cert_chain(directory + "/cert.pem", directory + "/key.pem")
with socket.create_connection((address, port), timeout=20) as plain:
    with context.wrap_socket(plain, server_hostname=address) as server:
        server.sendall(b"POST /networks HTTP/1.1\r\nHost: cnm\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            server.sendall(b" " * 100_000)
        print(server.recv(100).partition(b"\r")[0].decode())' $CERTS/client $ADDRESS $PORT "$1"
}

logged() { grep -F "$1" $CNMD_LOG; }

@test "TLS: a client with a certificate of ours is served, by either version" {
  tls_up
  expect "status" 200 "$(get client $URL)"
  expect "status with TLS 1.2" 200 "$(get client --tls-max 1.2 $URL)"
  expect "status of two requests" "200200" "$(get client $URL --next --silent --output /dev/null --write-out '%{http_code}' \
    --cacert $CERTS/client/ca.pem --cert $CERTS/client/cert.pem --key $CERTS/client/key.pem $URL)"
  head -c 5000000 /dev/zero | tr '\0' ' ' > /run/e2e/large
  expect "status of a large body" 413 "$(get client --header 'Expect:' --data-binary @/run/e2e/large $URL)"
  expect "status of a client that sends all of it first" "HTTP/1.1 413 Payload Too Large" "$(blindly 10000000)"
  expect "status for a name" 200 "$(get client --resolve cnm.example:$PORT:$ADDRESS https://cnm.example:$PORT/networks)"
}

@test "TLS: an old version is refused" {
  tls_up
  run ! get client --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 $URL
  wait_for 60 logged "TLS handshake: unsupported protocol"
}

@test "TLS: nobody else is served, and the log says why" {
  tls_up
  run ! curl --silent --max-time 20 --cacert $CERTS/client/ca.pem $URL
  wait_for 60 logged "TLS handshake: peer did not return a certificate"
  run ! get stranger $URL
  wait_for 60 logged "TLS handshake: the other side's certificate: unable to get local issuer certificate"
  run ! get server $URL # a server's certificate is not a client's
  wait_for 60 logged "TLS handshake: the other side's certificate: unsuitable certificate purpose"
  expect "status of plain HTTP" 400 \
    "$(curl --silent --max-time 20 --output /run/e2e/said --write-out '%{http_code}' http://$ADDRESS:$PORT/networks)"
  expect "text" "this port wants TLS (https) and a client certificate" "$(cat /run/e2e/said)"
  wait_for 60 logged "TLS handshake: http request"
  expect "status of our own" 200 "$(get client $URL)"
  expect "status on the unix socket" '[]' "$(curl --silent --unix-socket /run/cnm/cnmd.sock http://cnm/networks)"
}

# strangers COUNT: connects so often without a word, until stop_servers; returns when all are connected
strangers() {
  rm -f /run/e2e/strangers
  python3 -c 'import socket, sys, time
clients = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(int(sys.argv[3]))]
clients[0].send(bytes.fromhex("1603010200"))
open("/run/e2e/strangers", "w").close()
time.sleep(1000)' $ADDRESS $PORT "$1" 3>&- 4>&- &
  servers+=($!)
  wait_for 60 test -e /run/e2e/strangers
}

@test "TLS: half-open handshakes, as many as may come, keep nobody out, and end" {
  printf '[limits]\nconnections = 8\nhandshake_seconds = 5\n' > /run/e2e/few.toml
  tls_up --config /run/e2e/few.toml
  strangers 500
  expect "status" 200 "$(get client $URL)"
  expect "networks on the unix socket" '[]' "$(curl --silent --max-time 20 --unix-socket /run/cnm/cnmd.sock http://cnm/networks)"
  wait_for 60 logged "TLS handshake: timeout"
  wait_for 60 no_connections
  expect "status afterwards" 200 "$(get client $URL)"
  [ "$(grep -c 'TLS handshake' $CNMD_LOG)" -lt 50 ] # 64 were at it: no stranger fills the log
}
no_connections() { [ "$(ss --no-header --tcp --numeric state established "sport = :$PORT" | wc -l)" = 0 ]; }

@test "TLS: a slow request is answered 408, a slow one more is no obstacle" {
  printf '[limits]\nrequest_seconds = 1\n' > /run/e2e/slow.toml
  tls_up --config /run/e2e/slow.toml
  run -0 python3 -c 'import socket, ssl, sys
certs, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = ssl.create_default_context(cafile=certs + "/ca.pem")
context.load_cert_chain(certs + "/cert.pem", certs + "/key.pem")
client = context.wrap_socket(socket.create_connection((address, port)), server_hostname=address)
client.settimeout(20)
client.send(b"GET /netw")
print(client.recv(100).decode().splitlines()[0])' $CERTS/client $ADDRESS $PORT
  expect "answer" "HTTP/1.1 408 Request Timeout" "$output"
}

@test "TLS: cnmctl and dnet show their certificate and check the server's" {
  tls_up --no-docker
  local name
  export CNM_TLS_VERIFY=1 CNM_CERT_PATH=$CERTS/client
  cnmctl network create remote --driver null --socket tcp://$ADDRESS:$PORT
  DNET_HOST=tcp://$ADDRESS:$PORT run -0 "$CNM_PLUGINS/dnet" network ls
  [[ $output == *remote* ]]
  unset CNM_TLS_VERIFY CNM_CERT_PATH
  name=$(cnmctl network inspect remote --json --socket tcp://$ADDRESS:$PORT --tlsverify --tlscacert $CERTS/client/ca.pem \
    --tlscert $CERTS/client/cert.pem --tlskey $CERTS/client/key.pem | jq -r .name)
  expect "name" remote "$name"
  # Each side's doubts, in words.
  export CNM_TLS_VERIFY=1
  CNM_CERT_PATH=$CERTS/stranger run ! cnmctl service ls --socket tcp://$ADDRESS:$PORT
  [[ $output == *": TLS: "*"alert"* ]]
  CNM_CERT_PATH=$CERTS/client run ! cnmctl service ls --socket tcp://127.0.0.1:$PORT # not in the certificate
  [[ $output == *": TLS: the other side's certificate: "* ]]
  CNM_CERT_PATH=/nonexistent run ! cnmctl service ls --socket tcp://$ADDRESS:$PORT
  [[ $output == *"TLS: CA /nonexistent/ca.pem: No such file or directory"* ]]
  unset CNM_TLS_VERIFY
  run ! cnmctl service ls --socket tcp://$ADDRESS:$PORT --tlskey $CERTS/client/key.pem
  [[ $output == *"without tlsverify"* ]]
}

@test "TLS: dnet's daemon, too, and its configuration file" {
  cat > /run/e2e/dnet-tls.toml << END
[listen]
tlsverify = true
tlscacert = "$CERTS/server/ca.pem"
tlscert = "$CERTS/server/cert.pem"
tlskey = "$CERTS/server/key.pem"
[state]
files = "/run/e2e/files"
netns = "/run/e2e/netns"
END
  private_dir /usr/share # dnet -d announces its test driver there
  setsid "$CNM_PLUGINS/dnet" -d -H tcp://:$PORT -c /run/e2e/dnet-tls.toml < /dev/null >> $CNMD_LOG 2>&1 3>&- 4>&- &
  echo $! > $CNMD_PID
  wait_for 60 get client $URL
  expect "status" 200 "$(get client $URL)"
}

@test "TLS: cnmd does not start with half of it, and says what is missing" {
  run -1 "$CNM_PLUGINS/cnmd" --check --listen 0.0.0.0:$PORT
  [[ $output == *"not a loopback address, and tlsverify is off"* ]]
  run -1 "$CNM_PLUGINS/cnmd" --check --listen 0.0.0.0:$PORT --tlskey $CERTS/server/key.pem
  [[ $output == *"tlsverify is off"* ]]
  run -1 "$CNM_PLUGINS/cnmd" --check --tlsverify
  [[ $output == *"TLS: CA /etc/cnm/tls/ca.pem: No such file or directory"* ]]
  run -1 "$CNM_PLUGINS/cnmd" --check --tlsverify --tlscacert $CERTS/server/ca.pem --tlscert $CERTS/server/cert.pem \
    --tlskey $CERTS/client/key.pem
  [[ $output == *"TLS: key $CERTS/client/key.pem: key values mismatch"* ]]
}

@test "TLS: a TCP socket that systemd hands over is held to the same rules" {
  : > $CNMD_LOG
  systemd-socket-activate --listen $ADDRESS:$PORT "$CNM_PLUGINS/cnmd" < /dev/null >> $CNMD_LOG 2>&1 3>&- 4>&- &
  servers+=($!)
  wait_for 60 logged "Listening on"
  run ! curl --silent --max-time 20 http://$ADDRESS:$PORT/networks
  wait_for 60 logged "listen on $ADDRESS:$PORT: not a loopback address, and tlsverify is off"
}
