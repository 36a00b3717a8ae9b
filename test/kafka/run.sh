#!/usr/bin/env bash
# Apache Kafka as the judge of logq's files, both ways (npm run test:kafka). run.mjs lists the parts.
#
# Needs Java 17 and Maven, and the network the first time; jars and classes are kept in dist/kafka. The last line is
# `N passed, N failed`.
#
#   test/kafka/run.sh PART…       these parts only
#   test/kafka/run.sh --vectors   writes test/fixtures/kafka instead, for the tests that run without Java
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for tool in java javac mvn; do
  if ! command -v "$tool" > /dev/null; then
    echo "not run: Apache Kafka against logq ('$tool' is not there)"
    exit 0
  fi
done

jars=dist/kafka/jars
fetch_jars() {
  mvn --quiet --batch-mode --file test/kafka/pom.xml dependency:copy-dependencies "-DoutputDirectory=$PWD/$jars" -DincludeScope=runtime
}

stamp=$(cksum < test/kafka/pom.xml)
if [ "$(cat "$jars/.stamp" 2> /dev/null || true)" != "$stamp" ]; then
  rm -rf dist/kafka
  if ! fetch_jars && ! { sleep 5 && fetch_jars; }; then
    echo "the jars of Apache Kafka cannot be had from the Maven registry: nothing was checked"
    echo "0 passed, 1 failed"
    exit 1
  fi
  echo "$stamp" > "$jars/.stamp"
fi
sources=(test/kafka/java/*.java)
stamp=$(cat "${sources[@]}" | cksum)
if [ "$(cat dist/kafka/classes/.stamp 2> /dev/null || true)" != "$stamp" ]; then
  rm -rf dist/kafka/classes
  javac -d dist/kafka/classes -cp "$jars/*" "${sources[@]}"
  echo "$stamp" > dist/kafka/classes/.stamp
fi
node .config/build.mjs --bundle
exec node test/kafka/run.mjs "$@"
