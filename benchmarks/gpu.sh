#!/usr/bin/env bash
# Ten minutes of one GPU, spent in one go: the most valuable first, each part bounded, going on when one fails.
#
#   benchmarks/gpu.sh                                # under nine minutes on one H100 or H200; results in benchmarks/results/gpu
#   benchmarks/gpu.sh --device cpu --small           # the same script rehearsed on two cores in about five minutes
#   benchmarks/gpu.sh --parts "tests autogaze"       # some of: tests autogaze encoder stages train
#
# Each part writes JSON (hardware and versions in the name) and a log; parts.json says how each ended. Exit status: 1 if
# any part failed, after all have run.
set -u
cd "$(dirname "$0")/.."
device=cuda small= out=benchmarks/results/gpu parts="tests autogaze encoder stages train" python=${PYTHON:-.venv/bin/python}
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --parts) parts=$2; shift 2 ;;
    --small) small=--small; shift ;;
    *) echo "gpu.sh: unknown argument $1; see the head of this file" >&2; exit 2 ;;
  esac
done
[ -x "$python" ] || python=python3
mkdir -p "$out"
name=$("$python" -m benchmarks.gpu_parts name --device "$device") || exit 1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
failed=0

# part NAME SECONDS COMMAND...: run a part within its time, keep its log, note how it ended
part() {
  local part=$1 limit=$2; shift 2
  local start=$SECONDS status=0
  # A rehearsal may share its cores with others: it has to pass, not to be fast.
  [ -n "$small" ] && limit=$((limit * 6))
  echo "== $part (at most $limit s)"
  timeout --kill-after=10 "$limit" "$@" >"$out/$part-$name.log" 2>&1 || status=$?
  [ "$status" = 0 ] || { failed=1; tail -n 15 "$out/$part-$name.log"; }
  "$python" -m benchmarks.gpu_parts note "$out/parts-$name.json" "$part" "$status" $((SECONDS - start))
}
has() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

latency() {  # latency KIND CELLS ATTENTION DTYPE SHAPE SECONDS
  local rounds=3; [ -n "$small" ] && rounds=1
  part "$1-$4-$3" "$6" "$python" -m hlvid.cli latency "$1" --shape "$5" --cells "$2" --attention "$3" --dtype "$4" \
    --video "$work/film.mp4" --device "$device" --rounds $rounds --cell-seconds 60 --batch 256 --out "$out"
}

if has tests; then
  # The rehearsal leaves out the longest lists: the default and slow tests have them.
  few=""; [ -n "$small" ] && few="not 0.75 and not 0.055 and not ratio_1"
  part tests 130 env HLVID_TEST_DEVICE="$device" "$python" -m pytest -m gpu -k "$few" -o addopts= --import-mode=importlib -q \
    --junit-xml "$out/tests-$name.xml" tests/autogaze tests/evaluators/models/nvila
fi
if has autogaze; then
  part autogaze 150 "$python" -m benchmarks.gpu_autogaze --device "$device" $small --out "$out/autogaze-$name.json"
fi
if has encoder || has stages; then
  part film 60 "$python" -m benchmarks.gpu_parts film $small --out "$work/film.mp4"
fi
if has encoder; then
  if [ -n "$small" ]; then
    latency vit 1x224,1x448 math float32 tiny 30
    latency vit 1x224,1x448 fastest bfloat16 tiny 30
  else
    latency vit 30x224,30x448,30x896,30x3584 math float32 8b 70
    latency vit 30x224,30x448,30x896,30x3584 fastest bfloat16 8b 60
  fi
fi
if has stages; then
  if [ -n "$small" ]; then
    latency stages 16x448 fastest bfloat16 tiny 40
  else
    latency stages 128x3584,1024x3584 fastest bfloat16 8b 90
  fi
  part plan 20 "$python" -m benchmarks.gpu_parts plan --device "$device" $small --out "$out/plan-$name.json"
fi
if has train; then
  steps=400; [ -n "$small" ] && steps=1
  train() {
    "$python" -m hlvid.cli train labels --out "$work/labels" --generated 8 --frames 4 4 --processes 2 &&
      "$python" -m hlvid.cli train ntp --config ntp --labels "$work/labels" --out "$work/ntp" --device "$device" \
        --steps "$steps" --batch 4 && cp "$work/ntp/metrics.jsonl" "$out/train-ntp-$name.jsonl"
  }
  export -f train; export python work device steps out name
  part train 120 bash -c train
fi
echo "written: $out"
exit $failed
