#!/bin/sh
# Makes the certificates of memcached clients that the tests use: two authorities, and clients that they
# have certified. Each client's file holds its certificate and its key.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

cat > ca.cnf <<'END'
[ca]
default_ca = tests
[tests]
new_certs_dir = .
database = index
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = optional
organizationName = optional
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[client]
extendedKeyUsage = clientAuth
END
: > index

request() { # FILE SUBJECT [ALTERNATIVE_NAME]
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "$2" \
    ${3:+-addext "subjectAltName=$3"} -keyout "$1.key" -out "$1.csr" 2> /dev/null
}

sign() { # FILE LAST_DAY EXTENSIONS [OPTION...]
  file=$1 last=$2 extensions=$3
  shift 3
  openssl ca -batch -notext -config ca.cnf -in "$file.csr" -out "$file.crt" -extensions "$extensions" \
    -startdate 20200101000000Z -enddate "$last" "$@" 2> /dev/null
}

authority() { # NAME
  request "$1" "/CN=$1"
  sign "$1" 21200101000000Z authority -selfsign -keyfile "$1.key"
  cp "$1.crt" "$here/client-$1.pem"
}

client() { # FILE SUBJECT AUTHORITY LAST_DAY [ALTERNATIVE_NAME]
  request client "$2" ${5:+"$5"}
  sign client "$4" client -cert "$3.crt" -keyfile "$3.key"
  cat client.crt client.key > "$here/client-$1.pem"
}

authority authority
authority another-authority
client named /CN=app/O=tests authority 21200101000000Z
client uri /CN=worker/O=tests authority 21200101000000Z URI:ironcached://4e71843298b1db3f0d00a001/of%20worker
client subjectless / authority 21200101000000Z URI:ironcached://4e71843298b1db3f0d00a001/of%20workload
client unnamed /CN=nobody/O=tests authority 21200101000000Z
client expired /CN=app/O=tests authority 20210101000000Z
client stranger /CN=app/O=tests another-authority 21200101000000Z
client subjectless-stranger / another-authority 21200101000000Z
