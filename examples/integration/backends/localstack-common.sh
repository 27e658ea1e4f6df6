# shellcheck shell=bash disable=SC2034 # what is set here is used by the scripts that read this file
# What localstack-host.sh and localstack-image.sh share: the parts that LocalStack would download by itself are put where
# it looks for them. Pins are here, in pom.xml with dynamodb-local.sha256, and in requirements-*.txt. They have set $here, this directory, and read
# common.sh.

localstack_version=4.14.0

# shellcheck disable=SC2054 # the commas are the value's
localstack_settings=( # what the tests call and no more, all in memory, nothing asked of the network
  SERVICES=s3,sqs,dynamodb,sts,iam,cloudformation STRICT_SERVICE_LOADING=1 EAGER_SERVICE_LOADING=1
  S3_SKIP_SIGNATURE_VALIDATION=0 DYNAMODB_IN_MEMORY=1
  DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 DNS_ADDRESS=0
)

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

need() { # COMMAND WHAT-FOR
  command -v "$1" >/dev/null || die "there is no $1, which is needed to $2"
}

# uv: installs what LocalStack needs in a fifth of pip's time. Any Python can install uv.
# shellcheck disable=SC2154 # here
uv() {
  local tools
  tools=$(backends_dir "uv-$(fingerprint requirements-uv.txt)")
  if [ ! -x "$tools/bin/uv" ]; then
    need python3 "install uv"
    rm -rf "$tools"
    python3 -m venv "$tools" >&2 || die "python3 -m venv failed; on Debian it is the package python3-venv"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
      -r "$here/requirements-uv.txt" >&2
  fi
  UV_PYTHON_DOWNLOADS=never "$tools/bin/uv" --quiet "$@" >&2
}

# localstack_packages OPTION...: LocalStack and what it runs on, by their digests. Three packages come as source alone;
# what builds them is held to digests as well.
localstack_packages() {
  uv pip install --require-hashes --build-constraints "$here/requirements-build.txt" --only-binary :all: \
    --no-binary airspeed-ext --no-binary crontab --no-binary jsonpath-rw "$@" -r "$here/requirements-localstack.txt"
}

# dynamodb_local LIB JAVA: DynamoDB Local in LIB, the directory in which LocalStack keeps what it has installed, to be
# run by the command JAVA (17 or newer).
dynamodb_local() {
  local lib=$1 java=$2 ddb=$1/dynamodb-local/2
  need mvn "fetch DynamoDB Local"
  mkdir -p "$ddb" "$lib/java/21/bin"
  mvn --batch-mode --quiet -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$ddb/DynamoDBLocal_lib" >&2
  (cd "$ddb/DynamoDBLocal_lib" && grep -v '^#' "$here/dynamodb-local.sha256" | sha256sum --check --quiet --strict) >&2 ||
    die "the jars of DynamoDB Local are not those of dynamodb-local.sha256"
  # LocalStack calls its own Java with an agent, which only lifts a limit of 20 indexes, and with one jar. Here is no
  # agent, and there are many jars.
  cat >"$lib/java/21/bin/java" <<SH
#!/bin/sh
for arg; do
  shift
  case \$arg in
    -javaagent:* | -jar) ;;
    *.jar) set -- "\$@" -cp "\${arg%.jar}_lib/*" com.amazonaws.services.dynamodbv2.local.main.ServerRunner ;;
    *) set -- "\$@" "\$arg" ;;
  esac
done
exec "$java" "\$@"
SH
  chmod +x "$lib/java/21/bin/java"
  : >"$ddb/DynamoDBLocal.jar" # by this name LocalStack knows that it is there
}
