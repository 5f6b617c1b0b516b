#!/bin/sh
# Generates reason.proto and the Python messages under proto/gen from the contract (`make proto`).
# What comes out is committed. With --check nothing is written: it fails if anything would change.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/gen" "$out/contract"
cp -R proto/creditport "$out/contract/creditport"
PYTHONPATH=. python proto/write_reasons.py > "$out/contract/creditport/v1/reason.proto"
(
    cd "$out/contract"
    python -m grpc_tools.protoc --proto_path=. --python_out="$out/gen" --mypy_out="quiet:$out/gen" creditport/v1/*.proto
)
echo '"""The words two nodes share; everything below is generated from proto/creditport."""' > "$out/gen/creditport/__init__.py"
echo '"""Version 1 of the contract, generated."""' > "$out/gen/creditport/v1/__init__.py"
touch "$out/gen/creditport/py.typed"

if [ "${1-}" = --check ]; then
    diff -r --exclude=__pycache__ proto/gen/creditport "$out/gen/creditport" &&
        diff proto/creditport/v1/reason.proto "$out/contract/creditport/v1/reason.proto" ||
        { echo "the generated code is not that of the contract: run make proto"; exit 1; }
else
    rm -rf proto/gen/creditport
    mkdir -p proto/gen
    cp -R "$out/gen/creditport" proto/gen/creditport
    cp "$out/contract/creditport/v1/reason.proto" proto/creditport/v1/reason.proto
fi
