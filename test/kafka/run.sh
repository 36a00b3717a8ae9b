#!/usr/bin/env bash
# Kafka's own tools against logq, both ways (npm run test:kafka):
#
#   Kafka reads what logq wrote: DumpLogSegments over each codec, index and roll; Kafka's record reader against `logq cat -J`;
#   the indexes that Kafka's log would have written for the same batches, byte for byte.
#   logq reads what Kafka wrote: each codec, with control batches, offset gaps and preallocated tails.
#
# Needs Java 17 and Maven, and the network the first time; the jars are kept in dist/kafka. The last line is `N passed, N failed`.
# With --vectors it writes test/fixtures/kafka instead: the same segments of Kafka's for the tests that run without Java.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for tool in java mvn; do
  if ! command -v "$tool" > /dev/null; then
    echo "not run: Kafka's tools against logq ('$tool' is not there)"
    exit 0
  fi
done

jars=dist/kafka
stamp=$(cksum < test/kafka/pom.xml)
if [ "$(cat "$jars/.stamp" 2> /dev/null || true)" != "$stamp" ]; then
  rm -rf "$jars"
  mvn --quiet --batch-mode --file test/kafka/pom.xml dependency:copy-dependencies "-DoutputDirectory=$PWD/$jars" -DincludeScope=runtime
  echo "$stamp" > "$jars/.stamp"
fi
node .config/build.mjs --bundle
exec node test/kafka/run.mjs "$jars" "$@"
