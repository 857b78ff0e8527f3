#!/usr/bin/env bash
# Times the samples, numpy and ONNX Runtime one after the other on this machine, and shows the ratios.
# Options are handed to `samples bench`. PYTHON names a Python that has numpy, onnxruntime and onnx; without it, one is
# set up under target/peers.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ -z "${PYTHON:-}" ]]; then
    PYTHON=target/peers/bin/python
    if [[ ! -x $PYTHON ]]; then
        python3 -m venv target/peers
    fi
    "$PYTHON" -m pip install --quiet --disable-pip-version-check numpy onnxruntime onnx
fi

quick=()
for option in "$@"; do
    if [[ $option == --quick ]]; then
        quick=(--quick)
    fi
done

cargo build --release --quiet -p samples
"$PYTHON" samples/peers/cpu_peers.py "${quick[@]}" --json target/peers.json
cargo run --release --quiet -p samples -- bench --device cpu --peers target/peers.json "$@"
