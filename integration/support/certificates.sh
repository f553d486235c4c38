#!/bin/bash
# certificates.sh DIRECTORY: an authority for cnmd's TCP door, made with openssl. DIRECTORY/server and DIRECTORY/client get
# what cnmd and its clients look for (ca.pem, cert.pem, key.pem); DIRECTORY/stranger is a client of another authority.
set -eu

# authority DIRECTORY NAME
authority() {
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$2" \
    -keyout "$1/ca-key.pem" -out "$1/ca.pem" 2> /dev/null
}

# certificate AUTHORITY DIRECTORY USAGE NAME: signed by the authority in that directory
certificate() {
  mkdir -p "$2"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$4" -keyout "$2/key.pem" -out "$2/request.pem" \
    2> /dev/null
  openssl x509 -req -in "$2/request.pem" -CA "$1/ca.pem" -CAkey "$1/ca-key.pem" -CAcreateserial -days 2 -out "$2/cert.pem" \
    -extfile <(printf 'extendedKeyUsage=%s\nsubjectAltName=DNS:cnm.example,IP:198.51.100.1\n' "$3") 2> /dev/null
  cp "$1/ca.pem" "$2/ca.pem" 2> /dev/null || true
  chmod 600 "$2/key.pem"
}

authority "$1/ours" ours
authority "$1/theirs" theirs
certificate "$1/ours" "$1/server" serverAuth cnmd
certificate "$1/ours" "$1/client" clientAuth operator
certificate "$1/theirs" "$1/stranger" clientAuth stranger
cp "$1/ours/ca.pem" "$1/stranger/ca.pem" # it believes cnmd; cnmd does not believe it
